import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { configScene } from '../../support/config-scene.ts';

const { scene, problemsOf } = configScene();

describe("Temporal's own configuration", () => {
  it('is used if it contains an address', () => {
    expect(loadConfig({ ...scene.bare, TEMPORAL_ADDRESS: '127.0.0.1:7233' }).temporal).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
    });
  });

  it('reads the namespace, the API key and TLS from the environment', () => {
    const { temporal } = loadConfig({
      ...scene.bare,
      TEMPORAL_ADDRESS: '127.0.0.1:7233',
      TEMPORAL_NAMESPACE: 'uploads',
      TEMPORAL_API_KEY: 'tk-1',
    });
    expect(temporal).toMatchObject({ namespace: 'uploads', connectionOptions: { apiKey: 'tk-1' } });
    expect(temporal?.connectionOptions.tls).toBeTruthy();
  });

  it('reads profiles from its file', async () => {
    const file = join(scene.dir, 'temporal.toml');
    await writeFile(file, '[profile.prod]\naddress = "127.0.0.1:7777"\nnamespace = "prod"\n');
    const env = { ...scene.bare, TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' };
    expect(loadConfig(env).temporal).toMatchObject({ address: '127.0.0.1:7777', namespace: 'prod' });
    expect(loadConfig({ ...env, TEMPORAL_NAMESPACE: 'other' }).temporal?.namespace).toBe('other');
  });

  it('is rejected if the profile does not exist', async () => {
    const file = join(scene.dir, 'temporal.toml');
    await writeFile(file, '[profile.prod]\naddress = "127.0.0.1:7777"\n');
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'absent' })).toContain(
      `TEMPORAL_CONFIG_FILE ${file}: Profile 'absent' not found`,
    );
  });

  it.each([
    ['is missing', '/no/such.toml', 'cannot read /no/such.toml, which TEMPORAL_CONFIG_FILE names: it does not exist'],
    ['is a directory', '/', 'cannot read /, which TEMPORAL_CONFIG_FILE names: it is a directory (EISDIR)'],
  ])('is rejected if its file %s', (_, file, problem) => {
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: file })).toContain(problem);
  });

  it.each([
    ['[profile.default]\napi_key = "tk-secret\n', 'control characters are not allowed in strings in line 2'],
    ['[profile.default\n', 'illegal character in key in line 1'],
    ['[other]\na = 1\n', 'it has no table such as [profile.default]'],
    ['[profile.default]\naddress = 3\n', 'address must be a text such as "temporal:7233"'],
    ['[profile.default]\nnamespace = 3\n', 'namespace must be a text'],
    [
      '[profile.default]\n[profile.default.tls]\nserver_ca_cert_path = "/no/ca.pem"\n',
      'cannot read /no/ca.pem: it does',
    ],
  ])('is rejected in one line, without the text of the file, if the file contains %j', async (content, problem) => {
    const file = join(scene.dir, 'temporal.toml');
    await writeFile(file, content);
    const found = problemsOf({ TEMPORAL_CONFIG_FILE: file });
    expect(found).toContain(`TEMPORAL_CONFIG_FILE ${file}: `);
    expect(found).toContain(problem);
    expect(found).not.toMatch(/\n|tk-secret/);
  });

  it('is rejected if a certificate is missing', () => {
    expect(problemsOf({ TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_TLS_CLIENT_CERT_PATH: '/no/cert.pem' })).toContain(
      'cannot read /no/cert.pem, which TEMPORAL_TLS_CLIENT_CERT_PATH names: it does not exist (ENOENT)',
    );
  });

  it.each(['[::1]:7233', 'temporal', 'temporal.example:7233'])('accepts the address %s', (address) => {
    expect(loadConfig({ ...scene.bare, TEMPORAL_ADDRESS: address }).temporal?.address).toBe(address);
  });

  it.each(['https://temporal:7233', 'temporal:port', 'a b:1', ':7233', 'temporal:65536', '[::1]:0'])(
    'rejects the address %j',
    (address) => {
      expect(problemsOf({ TEMPORAL_ADDRESS: address })).toContain('is not HOST:PORT');
    },
  );
});
