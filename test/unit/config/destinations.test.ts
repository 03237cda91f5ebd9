import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { requireDestination, withDefaultDestination } from '../../../src/config/destinations.ts';
import { ConfigError } from '../../../src/errors.ts';
import { configScene } from '../../support/config-scene.ts';

const { scene, writeConfig } = configScene();

describe('requireDestination', () => {
  it('lists the configured destinations in the error', () => {
    expect(() => requireDestination(loadConfig(scene.bare), 'eu')).toThrow(
      new ConfigError('destination "eu" not found. Use a destination of this configuration: default.'),
    );
  });

  it('names the variable of a missing key', () => {
    expect(() => requireDestination(loadConfig(scene.bare), 'default')).toThrow(/set OPENAI_API_KEY/);
  });

  it.each(['sk 1', 'sk\u00e9', 'sk\u0007'])(
    'rejects a key that is invalid in a header, without repeating it',
    (key) => {
      const config = loadConfig({ ...scene.bare, OPENAI_API_KEY: key });
      expect(() => requireDestination(config, 'default')).toThrow(
        'the API key in OPENAI_API_KEY contains invalid characters',
      );
    },
  );
});

describe('withDefaultDestination', () => {
  it('replaces only the default destination, and does not change the original configuration', async () => {
    await writeConfig({ destinations: { eu: { baseUrl: 'https://127.0.0.1' } } });
    const config = loadConfig({ ...scene.bare, OPENAI_API_KEY: 'sk-1', OPENAI_ORG_ID: 'org-1' });
    const changed = withDefaultDestination(config, { baseUrl: 'http://127.0.0.1:4010/v1', apiKey: 'sk-local' });
    expect(requireDestination(changed, 'default')).toEqual({
      name: 'default',
      proxy: 'none',
      baseUrl: 'http://127.0.0.1:4010/v1',
      apiKey: 'sk-local',
    });
    expect(requireDestination(changed, 'eu')).toEqual(requireDestination(config, 'eu'));
    expect(requireDestination(config, 'default').baseUrl).toBe('https://api.openai.com/v1');
  });
});
