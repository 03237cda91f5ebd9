import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { configScene } from '../../support/config-scene.ts';

const { scene, writeConfig, problemsOf } = configScene();

it('protects all files with secrets that the environment or a config file names', async () => {
  await writeConfig({
    destinations: {
      one: { baseUrl: 'http://one.example', apiKeyFile: '/keys/one' },
      two: { baseUrl: 'http://two.example', apiKeyEnv: 'TEAM' },
    },
  });
  // Temporal's own configuration reads it.
  const temporalKey = join(scene.dir, 'temporal-key');
  await writeFile(temporalKey, 'k');
  const env = {
    OPENAI_API_KEY_FILE: '/keys/openai',
    TEAM_FILE: '/keys/team',
    AWS_SHARED_CREDENTIALS_FILE: '/keys/aws',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/keys/token',
    GOOGLE_APPLICATION_CREDENTIALS: '/keys/google',
    TEMPORAL_TLS_CLIENT_KEY_PATH: temporalKey,
    OTHER_SECRET_FILE: 'relative/secret',
    INPUT_FILE: '/data/input.jsonl',
    LONGHAUL_STATE_DIR: '/state',
  };
  const { protect } = loadConfig({ ...scene.bare, ...env }).sources.files ?? {};
  expect(new Set(protect?.files)).toEqual(
    new Set([
      ...['aws', 'google', 'one', 'openai', 'team', 'token'].map((name) => `/keys/${name}`),
      join(process.cwd(), 'relative/secret'),
      scene.configPath,
      temporalKey,
      scene.bare['TEMPORAL_CONFIG_FILE'],
    ]),
  );
  expect(protect?.folders).toEqual(expect.arrayContaining(['/state', '/run/secrets', join(homedir(), '.aws')]));
});

it('reads the permitted sources from the config file, unless LONGHAUL_ANY_SOURCE overrides it', async () => {
  await writeConfig({ sources: { any: true, buckets: ['a-*'], files: { roots: ['/data'] } } });
  expect(loadConfig(scene.bare).sources).toMatchObject({ any: true, buckets: ['a-*'], files: { roots: ['/data'] } });
  expect(loadConfig({ ...scene.bare, LONGHAUL_ANY_SOURCE: 'false' }).sources.any).toBe(false);
  expect(problemsOf({ LONGHAUL_ANY_SOURCE: 'maybe' })).toMatch(/LONGHAUL_ANY_SOURCE must be true or false/);
});

it('rejects unusable globs for buckets and hosts', async () => {
  await writeConfig({ sources: { http: { hosts: ['x'.repeat(2000)] } } });
  expect(problemsOf({})).toMatch(/sources\.http\.hosts has a glob of 2000 characters\. Use at most 1000/);
});
