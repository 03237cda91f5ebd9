import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EmbeddedTemporalError } from '../../../src/dev/server/embedded-temporal-error.ts';
import { withFileLock } from '../../../src/dev/server/file-lock.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-lock-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('calls in one process enter one at a time', async () => {
  let inside = 0;
  let most = 0;
  const enter = async () =>
    withFileLock(directory, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    });
  await Promise.all(Array.from({ length: 8 }, enter));
  expect(most).toBe(1);
});

test('a lock that stays taken is an error after the time given', async () => {
  await withFileLock(directory, async () => {
    const second = withFileLock(directory, async () => Promise.resolve(), { timeoutMs: 60 });
    await expect(second).rejects.toBeInstanceOf(EmbeddedTemporalError);
  });
});

test('the lock is free again after the body threw, and its error is passed on', async () => {
  const failing = withFileLock(directory, async () => Promise.reject(new Error('inside')));
  await expect(failing).rejects.toThrow('inside');
  expect(await withFileLock(directory, async () => Promise.resolve('entered'))).toBe('entered');
});

test('the lock of an earlier process under this pid is free', async () => {
  await writeFile(join(directory, '7'), JSON.stringify({ pid: process.pid, startTime: 'earlier' }));
  expect(await withFileLock(directory, async () => readdir(directory))).toContain('8');
});

test('a long use leaves a bounded number of files', async () => {
  for (let i = 0; i < 40; i += 1) await withFileLock(directory, async () => Promise.resolve());
  expect((await readdir(directory)).length).toBeLessThanOrEqual(17);
});
