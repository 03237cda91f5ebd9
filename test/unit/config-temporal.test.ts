import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { configScene } from '../support/config-scene.ts';

const { scene, problemsOf } = configScene();

describe("Temporal's own configuration", () => {
  it('is used as soon as it names an address', () => {
    expect(loadConfig({ ...scene.bare, TEMPORAL_ADDRESS: '127.0.0.1:7233' }).temporal).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
    });
  });

  it('takes namespace, API key and TLS from the environment', () => {
    const { temporal } = loadConfig({
      ...scene.bare,
      TEMPORAL_ADDRESS: '127.0.0.1:7233',
      TEMPORAL_NAMESPACE: 'uploads',
      TEMPORAL_API_KEY: 'tk-1',
    });
    expect(temporal).toMatchObject({ namespace: 'uploads', connectionOptions: { apiKey: 'tk-1' } });
    expect(temporal?.connectionOptions.tls).toBeTruthy();
  });

  it('takes profiles from its file', async () => {
    const file = join(scene.dir, 'temporal.toml');
    await writeFile(file, '[profile.prod]\naddress = "127.0.0.1:7777"\nnamespace = "prod"\n');
    const env = { ...scene.bare, TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' };
    expect(loadConfig(env).temporal).toMatchObject({ address: '127.0.0.1:7777', namespace: 'prod' });
    expect(loadConfig({ ...env, TEMPORAL_NAMESPACE: 'other' }).temporal?.namespace).toBe('other');
  });

  it('is a problem with a profile that there is not', async () => {
    const file = join(scene.dir, 'temporal.toml');
    await writeFile(file, '[profile.prod]\naddress = "127.0.0.1:7777"\n');
    expect(problemsOf({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'absent' })).toContain(
      "Temporal's client configuration",
    );
  });

  it.each(['[::1]:7233', 'temporal', 'temporal.example:7233'])('takes the address %s', (address) => {
    expect(loadConfig({ ...scene.bare, TEMPORAL_ADDRESS: address }).temporal?.address).toBe(address);
  });

  it.each(['https://temporal:7233', 'temporal:port', 'a b:1', ':7233'])('refuses the address %j', (address) => {
    expect(problemsOf({ TEMPORAL_ADDRESS: address })).toContain('is not HOST:PORT');
  });
});
