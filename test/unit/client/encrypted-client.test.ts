import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, expect, it, vi } from 'vitest';
import { LonghaulClient } from '../../../src/client/longhaul-client.ts';
import { hidesNames } from '../../../src/temporal/tolerant-client.ts';
import { withTempDir } from '../../support/temp-dir.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('a client without a codec encrypts with the keys of the variable, and hides names in workflow IDs', () =>
  withTempDir(async (directory) => {
    const keyFile = join(directory, 'keys');
    await writeFile(keyFile, `a ${randomBytes(32).toString('base64')}\n`);
    const temporal = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) });
    expect(hidesNames(new LonghaulClient(temporal).temporal)).toBe(false);
    vi.stubEnv('LONGHAUL_ENCRYPTION_KEY_FILE', keyFile);
    expect(hidesNames(new LonghaulClient(temporal).temporal)).toBe(true);
    expect(hidesNames(temporal)).toBe(false);
    await temporal.connection.close();
  }));
