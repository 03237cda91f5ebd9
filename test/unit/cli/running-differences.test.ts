import { expect, it } from 'vitest';
import { runningDifferences } from '../../../src/cli/running-differences.ts';
import type { UploadProgress, UploadRequest } from '../../../src/contracts/upload.ts';

const MiB = 1024 * 1024;
const request: UploadRequest = {
  source: { type: 'file', path: '/a' },
  purpose: 'batch',
  concurrency: 4,
  partSizeBytes: 8 * MiB,
  limitBytesPerSecond: 5 * MiB,
  priority: 3,
};
const options = { purpose: 'batch', md5: true };

it('reports nothing if the options are those in effect', () => {
  const same = { ...options, concurrency: 4, partSize: 8 * MiB, limit: 5 * MiB, priority: 3 as const };
  expect(runningDifferences({ request, progress: undefined }, { options: same, isWorker: true })).toEqual([]);
});

it('compares with what was changed since the start, as far as a worker reports it', () => {
  const progress = { concurrency: 9, partSizeBytes: 0, limit: null } as unknown as UploadProgress;
  const changed = { ...options, concurrency: 9 };
  expect(runningDifferences({ request, progress }, { options: changed, isWorker: true })).toEqual([]);
});

it.each([
  [
    { limit: 10 * MiB },
    '--limit 10 MiB/s is not in effect: this upload has a limit of 5 MiB/s. Use "longhaul retune" to change it.',
  ],
  [{}, 'this upload keeps its limit of 5 MiB/s. Use "longhaul retune" to change it.'],
  [
    { concurrency: 8 },
    '--concurrency 8 is not in effect: this upload has up to 4 parts in flight. Use "longhaul retune" to change it.',
  ],
  [
    { partSize: 16 * MiB },
    '--part-size 16 MiB is not in effect: this upload has parts of 8 MiB. Use "longhaul retune" to change it for the next session.',
  ],
  [
    { priority: 4 as const },
    '--priority bulk is not in effect: this upload has another priority. To change it, cancel the upload and run the command again.',
  ],
  [
    { md5: false },
    '--no-md5 is not in effect: this upload has its MD5 checked. To change it, cancel the upload and run the command again.',
  ],
])('reports %j', (changes, line) => {
  const command = { limit: 5 * MiB, ...options, ...changes };
  if (Object.keys(changes).length === 0) delete (command as { limit?: number }).limit;
  expect(runningDifferences({ request, progress: undefined }, { options: command, isWorker: true })).toEqual([line]);
});

it('does not report fewer parts if the worker of the command limits them', () => {
  const fewer = { ...options, limit: 5 * MiB, concurrency: 2 };
  expect(runningDifferences({ request, progress: undefined }, { options: fewer, isWorker: true })).toEqual([]);
  expect(runningDifferences({ request, progress: undefined }, { options: fewer, isWorker: false }).length).toBe(1);
});

it('reports another signature of a URL, without repeating it', () => {
  const limited = { ...options, limit: 5 * MiB };
  const lines = runningDifferences(
    { request, progress: undefined, query: 'sig=canary-1' },
    { options: limited, query: 'sig=canary-2', isWorker: true },
  );
  expect(lines).toEqual([expect.stringMatching(/^the query of this URL is not in effect/)]);
  expect(lines.join()).not.toContain('canary');
});
