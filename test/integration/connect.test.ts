import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { LonghaulClient, LonghaulError } from 'longhaul';
import { createWorker } from 'longhaul/worker';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { withSystem } from '../support/system.ts';

afterEach(() => void vi.unstubAllEnvs());

describe('LonghaulClient.connect', () => {
  it("uses Temporal's environment configuration, unless a connection is passed", () =>
    withSystem(async ({ temporalAddress, directory }) => {
      vi.stubEnv('TEMPORAL_ADDRESS', temporalAddress);
      vi.stubEnv('TEMPORAL_NAMESPACE', 'uploads');
      const found = await LonghaulClient.connect();
      expect(found.temporal.options.namespace).toBe('uploads');
      await found.close();

      const profile = join(directory, 'temporal.toml');
      await writeFile(profile, `[profile.prod]\naddress = "${temporalAddress}"\nnamespace = "prod"\n`);
      vi.unstubAllEnvs();
      vi.stubEnv('TEMPORAL_CONFIG_FILE', profile);
      vi.stubEnv('TEMPORAL_PROFILE', 'prod');
      const named = await LonghaulClient.connect({ namespace: 'default' });
      expect(named.temporal.options.namespace).toBe('default');
      await named.close();

      vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
      vi.stubEnv('TEMPORAL_API_KEY', 'tk-canary');
      const passed = await LonghaulClient.connect({ connection: { address: temporalAddress } });
      expect(passed.temporal.options.namespace).toBe('default');
      await passed.close();
    }));

  it.each([
    [
      { TEMPORAL_ADDRESS: 'https://temporal.internal:7233', TEMPORAL_API_KEY: 'tk-canary' },
      /TEMPORAL_ADDRESS .* is not HOST:PORT/,
    ],
    [{ TEMPORAL_CONFIG_FILE: '/no/such.toml' }, /\/no\/such\.toml, which TEMPORAL_CONFIG_FILE names/],
    [{ TEMPORAL_PROFILE: 'absent' }, /'absent' not found/],
  ])('reports %j in one line', async (env, message) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const error = await LonghaulClient.connect().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LonghaulError);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toMatch(/\n|tk-canary/);
  });
});

describe('createWorker', () => {
  it('leaves no worker behind if it fails, so that a program can retry it', () =>
    withSystem(async ({ temporalAddress, taskQueue }) => {
      const connection = await NativeConnection.connect({ address: temporalAddress });
      const destinations = [{ name: 'default', baseUrl: 'http://127.0.0.1:1/v1', apiKey: 'sk-test' }];
      const create = () => createWorker({ connection, namespace: 'no-such-namespace', taskQueue, destinations });
      for (let attempt = 1; attempt <= 2; attempt++)
        await expect(create()).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
      // It rejects while a worker uses it.
      await connection.close();
    }));
});
