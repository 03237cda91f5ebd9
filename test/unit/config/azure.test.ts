import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { requireDestination } from '../../../src/config/destinations.ts';
import { KeyCommand } from '../../../src/keys/key-command.ts';
import { configScene } from '../../support/config-scene.ts';

const { scene, writeConfig, problemsOf } = configScene();

describe('a destination of the kind azure', () => {
  it('reads its resource and its own key, never the key of OpenAI', async () => {
    await writeConfig({
      destinations: {
        eu: { kind: 'azure', resource: 'my-resource', apiVersion: '2025-04-01-preview' },
        entra: { kind: 'azure', baseUrl: 'https://127.0.0.1:1', apiKeyCommand: ['az'] },
        default: { kind: 'azure', baseUrl: 'https://127.0.0.1:2/' },
      },
    });
    const openAi = { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: 'https://127.0.0.1:9/v1', OPENAI_ORG_ID: 'org' };
    const config = loadConfig({ ...scene.bare, ...openAi, AZURE_OPENAI_API_KEY: 'k-1' });
    expect(requireDestination(config, 'eu')).toEqual({
      name: 'eu',
      kind: 'azure',
      baseUrl: 'https://my-resource.openai.azure.com',
      apiVersion: '2025-04-01-preview',
      apiKey: 'k-1',
    });
    expect(requireDestination(config, 'entra').apiKey).toBeInstanceOf(KeyCommand);
    expect(requireDestination(config, 'default')).toEqual({
      name: 'default',
      kind: 'azure',
      baseUrl: 'https://127.0.0.1:2',
      apiKey: 'k-1',
    });
    const without = loadConfig({ ...scene.bare, ...openAi });
    expect(() => requireDestination(without, 'eu')).toThrow('set AZURE_OPENAI_API_KEY or AZURE_OPENAI_API_KEY_FILE');
  });

  it('is configured by the variables of the official SDKs, unless the config file uses its name', async () => {
    const env = {
      ...scene.bare,
      AZURE_OPENAI_ENDPOINT: 'https://r.openai.azure.com/',
      AZURE_OPENAI_API_KEY: 'k-1',
      OPENAI_API_VERSION: '2025-04-01-preview',
    };
    expect([...loadConfig(env).destinations.keys()]).toEqual(['default', 'azure']);
    expect(requireDestination(loadConfig(env), 'azure')).toEqual({
      name: 'azure',
      kind: 'azure',
      baseUrl: 'https://r.openai.azure.com',
      apiVersion: '2025-04-01-preview',
      apiKey: 'k-1',
    });
    await writeConfig({ destinations: { azure: { kind: 'azure', resource: 'other' } } });
    expect(requireDestination(loadConfig(env), 'azure')).toMatchObject({
      baseUrl: 'https://other.openai.azure.com',
    });
  });

  it.each([
    [{ kind: 'azure' }, 'destinations.eu.resource is missing'],
    [
      { kind: 'azure', resource: 'r', baseUrl: 'https://127.0.0.1' },
      'destinations.eu.resource must not be set together',
    ],
    [{ kind: 'azure', resource: 'r', apiVersion: 'x' }, 'destinations.eu.apiVersion must be v1, or a date'],
    [
      { kind: 'azure', baseUrl: 'https://127.0.0.1/openai/v1', apiVersion: '2024-10-21' },
      'destinations.eu.apiVersion 2024-10-21 cannot be used with /openai/v1',
    ],
    [{ resource: 'r' }, 'destinations.eu.resource is only for the kind azure'],
    [
      { baseUrl: 'https://127.0.0.1', apiVersion: '2024-10-21' },
      'destinations.eu.apiVersion is only for the kind azure',
    ],
    [{ kind: 'openai' }, 'destinations.eu.baseUrl is missing'],
    [{ kind: 'gcp', baseUrl: 'https://127.0.0.1' }, 'destinations.eu.kind'],
  ])('rejects %j', async (settings, problem) => {
    await writeConfig({ destinations: { eu: settings } });
    const problems = problemsOf({});
    expect(problems).toContain(problem);
    expect(problems.split(scene.configPath)).toHaveLength(2);
  });
});
