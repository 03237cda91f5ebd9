import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { requireDestination } from '../../../src/config/destinations.ts';
import { configScene } from '../../support/config-scene.ts';

const { scene, writeConfig, problemsOf } = configScene();

describe('the config file', () => {
  it('explains each problem of the config file in plain English', async () => {
    await writeConfig({
      zzz: 1,
      destinations: {
        a: { kind: 'Azure', nope: 1, purposes: [5] },
        b: { baseUrl: 'http://x', apiKeyCommand: 'x' },
        '': { baseUrl: 'http://x' },
      },
    });
    const file = scene.configPath;
    expect(
      problemsOf({})
        .replace(/^invalid configuration: |\.$/g, '')
        .split('; ')
        .toSorted(),
    ).toEqual([
      `${file}: destinations. has an invalid name`,
      `${file}: destinations.a has an unknown property: "nope"`,
      `${file}: destinations.a.kind must be "openai" or "azure"`,
      `${file}: destinations.a.purposes.0 must be a text`,
      `${file}: destinations.b.apiKeyCommand must be a list of a program and its arguments, or an object with "command"`,
      `${file}: the file has an unknown property: "zzz"`,
    ]);
    for (const [content, problem] of [
      ['', 'as JSON: it is empty'],
      ['null', 'the file must be an object'],
      ['[]', 'the file must be an object'],
    ] as const) {
      await writeFile(file, content);
      expect(problemsOf({})).toContain(problem);
    }
    await writeFile(file, '\uFEFF{}');
    expect(() => loadConfig(scene.bare)).not.toThrow();
  });

  it('adds destinations to the default one', async () => {
    await writeConfig({
      $schema: './config.json',
      destinations: {
        'azure-eu': {
          baseUrl: 'https://127.0.0.1:1/openai/v1/',
          apiKeyEnv: 'AZURE_KEY',
          authHeader: 'api-key',
          query: { 'api-version': 'preview' },
          headers: { 'x-team': 'a' },
          completeEncoding: 'form',
          stallTimeoutMs: 5000,
          filesRequestsPerMinute: 600,
          purposes: ['special'],
        },
      },
    });
    const config = loadConfig({ ...scene.bare, AZURE_KEY: 'k-1', OPENAI_API_KEY: 'sk-1' });
    expect([...config.destinations.keys()]).toEqual(['default', 'azure-eu']);
    expect(config.destinations.get('azure-eu')?.purposes).toEqual(['special']);
    expect(requireDestination(config, 'azure-eu')).toEqual({
      name: 'azure-eu',
      baseUrl: 'https://127.0.0.1:1/openai/v1',
      apiKey: 'k-1',
      authHeader: 'api-key',
      query: { 'api-version': 'preview' },
      headers: { 'x-team': 'a' },
      completeEncoding: 'form',
      stallTimeoutMs: 5000,
      filesRequestsPerMinute: 600,
    });
  });

  it('uses the default key for a destination that names no other key', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1' } } });
    expect(requireDestination(loadConfig({ ...scene.bare, OPENAI_API_KEY: 'sk-1' }), 'eu').apiKey).toBe('sk-1');
  });

  it('must exist if LONGHAUL_CONFIG is set', () => {
    expect(problemsOf({ LONGHAUL_CONFIG: '/no/such.json' })).toContain(
      'LONGHAUL_CONFIG names /no/such.json, which does not exist',
    );
  });

  it.each([
    ['a list', '[]'],
    ['a text', '"x"'],
    ['an unknown setting', '{"destinations": {"eu": {"baseUrl": "https://127.0.0.1", "colour": 1}}}'],
    [
      'a limit of requests below the minimum',
      '{"destinations": {"eu": {"baseUrl": "https://127.0.0.1", "filesRequestsPerMinute": 9}}}',
    ],
    ['an unknown encoding', '{"destinations": {"eu": {"baseUrl": "https://127.0.0.1", "completeEncoding": "xml"}}}'],
  ])('is rejected if it contains %s', async (_, content) => {
    await writeFile(scene.configPath, content);
    expect(problemsOf({})).toContain(scene.configPath);
  });
});
