import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { requireDestination } from '../../src/config/destinations.ts';
import { ConfigError } from '../../src/errors.ts';
import { configScene } from '../support/config-scene.ts';

const { scene, writeConfig, problemsOf } = configScene();

describe('a key in a file', () => {
  let keyPath: string;

  beforeEach(async () => {
    keyPath = join(scene.dir, 'api-key');
    await writeFile(keyPath, 'sk-file\n');
  });

  const keyOf = (env: Record<string, string>, name = 'default'): string | undefined => {
    const { apiKey } = requireDestination(loadConfig({ ...scene.bare, ...env }), name);
    return typeof apiKey === 'string' ? apiKey : apiKey.last;
  };

  it('is read without the trailing newline', () => {
    expect(keyOf({ OPENAI_API_KEY_FILE: keyPath })).toBe('sk-file');
    expect(keyOf({ OPENAI_API_KEY_FILE: keyPath, OPENAI_API_KEY: ' ' })).toBe('sk-file');
  });

  it('is ignored if the variable with the key itself is set', () => {
    expect(keyOf({ OPENAI_API_KEY_FILE: keyPath, OPENAI_API_KEY: 'sk-variable' })).toBe('sk-variable');
  });

  it('can be set for any destination, by a variable or in the config file', async () => {
    await writeConfig({
      destinations: {
        default: { baseUrl: 'https://127.0.0.1', apiKeyFile: keyPath },
        eu: { baseUrl: 'https://127.0.0.1', apiKeyEnv: 'EU_KEY' },
        us: { baseUrl: 'https://127.0.0.1', apiKeyEnv: 'US_KEY', apiKeyFile: keyPath },
      },
    });
    expect(keyOf({})).toBe('sk-file');
    expect(keyOf({ OPENAI_API_KEY: 'sk-variable' })).toBe('sk-variable');
    expect(keyOf({ EU_KEY_FILE: keyPath }, 'eu')).toBe('sk-file');
    expect(keyOf({}, 'us')).toBe('sk-file');
    expect(keyOf({ US_KEY: 'sk-us' }, 'us')).toBe('sk-us');
  });

  it('of a destination is not replaced by the key of the default service', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1', apiKeyFile: keyPath } } });
    const usual = { OPENAI_API_KEY: 'sk-usual', OPENAI_API_KEY_FILE: '/no/such/usual-key' };
    expect(keyOf(usual, 'eu')).toBe('sk-file');
    await rm(keyPath);
    expect(() => keyOf(usual, 'eu')).toThrow(
      new ConfigError(`destination "eu" has no API key: its apiKeyFile ${keyPath} does not exist`),
    );
  });

  it('is required only when the key is used', () => {
    const config = loadConfig({ ...scene.bare, OPENAI_API_KEY_FILE: join(scene.dir, 'absent') });
    expect(() => requireDestination(config, 'default')).toThrow(
      `destination "default" has no API key: the file ${join(scene.dir, 'absent')} that OPENAI_API_KEY_FILE names does not exist`,
    );
  });

  it.each([
    ['empty', '\n', 'is empty'],
    ['of more than one line', 'sk-1\nsk-2\n', 'contains invalid characters'],
  ])('that is %s is rejected, and the error does not contain it', async (_, content, problem) => {
    await writeFile(keyPath, content);
    expect(() => keyOf({ OPENAI_API_KEY_FILE: keyPath })).toThrow(problem);
    expect(() => keyOf({ OPENAI_API_KEY_FILE: keyPath })).not.toThrow(/sk-1/);
  });

  it('that is a directory is rejected', () => {
    expect(() => keyOf({ OPENAI_API_KEY_FILE: scene.dir })).toThrow(
      /that OPENAI_API_KEY_FILE names cannot be read: it is a directory \(EISDIR\)/,
    );
  });

  it('must have an absolute path in the config file', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1', apiKeyFile: 'key' } } });
    expect(problemsOf({})).toContain('destinations.eu.apiKeyFile must be an absolute path');
  });
});
