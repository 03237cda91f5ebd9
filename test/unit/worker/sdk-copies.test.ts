import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { assertOneCopy, assertOwnSdk, otherSdkCopies } from '../../../src/worker/sdk-copies.ts';

const own = createRequire(import.meta.url).resolve('@temporalio/worker');

describe('the copies of the SDK', () => {
  it('are a single copy in this project', () => {
    expect(otherSdkCopies('@temporalio/worker')).toEqual([]);
    expect(() => assertOneCopy('@temporalio/activity')).not.toThrow();
  });

  it('are found by the modules that the process has loaded', () => {
    const other = '/app/node_modules/.pnpm/@temporalio+worker@1.23.0/node_modules/@temporalio/worker';
    const loaded = [
      own,
      `${other}/lib/index.js`,
      `${other}/lib/worker.js`,
      '/app/node_modules/temporalio/lib/index.js',
    ];
    expect(otherSdkCopies('@temporalio/worker', loaded)).toEqual([other]);
  });

  it('are both named if a connection is from the other copy', () => {
    const foreign = { constructor: { name: 'NativeConnection' } };
    const check = () => assertOwnSdk(foreign, NativeConnection, '"connection"');
    expect(check).toThrow(ConfigError);
    expect(check).toThrow(`two copies of @temporalio/worker: Longhaul uses ${dirname(dirname(own))}, your code uses`);
  });

  it.each([undefined, null, {}, 'temporal:7233'])('reject %j as a connection', (value) => {
    expect(() => assertOwnSdk(value, NativeConnection, '"connection"')).toThrow(
      '"connection" must be a NativeConnection of @temporalio/worker',
    );
  });
});
