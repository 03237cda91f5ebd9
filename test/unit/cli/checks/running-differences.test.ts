import { describe, expect, it } from 'vitest';
import {
  bytesText,
  durationText,
  limitOrNoneOption,
  partSizeOption,
  rateText,
} from '../../../../src/cli/options/values.ts';
import {
  completedDifferences,
  runningDifferences,
  syncDifferences,
  syncOptionRows,
  uploadOptionRows,
} from '../../../../src/cli/checks/running-differences.ts';
import type { SyncRequest } from '../../../../src/contracts/sync.ts';
import type { UploadProgress, UploadRequest } from '../../../../src/contracts/upload.ts';
import { parseDuration } from '../../../../src/core/text/parse.ts';
import { uploadRequest } from '../../../../src/contracts/requests/upload.ts';
import { syncRequest } from '../../../../src/contracts/requests/sync.ts';

const MiB = 1024 * 1024;
const request: UploadRequest = {
  source: { type: 'file', path: '/a' },
  purpose: 'batch',
  concurrency: 4,
  partSizeBytes: 8 * MiB,
  limitBytesPerSecond: 5 * MiB,
  priority: 3,
};
const restart = 'To change it, cancel the upload and run the command again.';

/** Differences of a command with the options of `request` and these changes. */
function lines(
  changes: Partial<Record<keyof UploadRequest, unknown>>,
  {
    progress,
    isWorker = false,
    running = request,
  }: Partial<{ progress: object; isWorker: boolean; running: object }> = {},
): readonly string[] {
  const own = Object.fromEntries(
    Object.entries({ ...request, md5: true, ...changes }).filter(([, value]) => value !== undefined),
  );
  return runningDifferences(
    { workflowId: 'id', request: running as UploadRequest, progress: progress as UploadProgress | undefined },
    { request: own, isWorker },
  );
}

describe('a command whose upload is running', () => {
  it('reports nothing if the options are those in effect', () => {
    expect(lines({})).toEqual([]);
    expect(lines({ maxSessions: 3, giveUpAfterMs: 86_400_000, fairnessWeight: 1 })).toEqual([]);
  });

  it.each<[Partial<Record<keyof UploadRequest, unknown>>, string]>([
    [
      { limitBytesPerSecond: 10 * MiB },
      '--limit 10MiB/s is not in effect: this upload keeps --limit 5MiB/s. Use "longhaul retune id --limit 10MiB/s".',
    ],
    [
      { limitBytesPerSecond: undefined },
      'this upload keeps --limit 5MiB/s, which this command does not set. Use "longhaul retune id --limit none".',
    ],
    [
      { concurrency: 8 },
      '--concurrency 8 is not in effect: this upload keeps --concurrency 4. Use "longhaul retune id --concurrency 8".',
    ],
    [
      { concurrency: undefined },
      'this upload keeps --concurrency 4, which this command does not set. Use "longhaul retune id --concurrency 16".',
    ],
    [
      { partSizeBytes: 16 * MiB },
      '--part-size 16MiB is not in effect: this upload keeps --part-size 8MiB. Use "longhaul retune id --part-size 16MiB", for its next session.',
    ],
    [
      { partSizeBytes: undefined },
      'this upload keeps --part-size 8MiB, which this command does not set. Use "longhaul retune id --part-size <bytes>", for its next session.',
    ],
    [{ priority: 4 }, `--priority bulk is not in effect: this upload keeps --priority normal. ${restart}`],
    [{ md5: false }, `--no-md5 is not in effect: this upload keeps the default. ${restart}`],
    [{ mimeType: 'text/x-a' }, `--mime-type text/x-a is not in effect: this upload keeps the default. ${restart}`],
    [
      { fileExpiresAfterSeconds: 604_800 },
      `--expires-after 7d is not in effect: this upload keeps the default. ${restart}`,
    ],
    [{ maxSessions: 5 }, `--max-sessions 5 is not in effect: this upload keeps --max-sessions 3. ${restart}`],
    [{ giveUpAfterMs: 0 }, `--give-up-after never is not in effect: this upload keeps --give-up-after 1d. ${restart}`],
    [
      { ignoreInode: true },
      '--ignore-inode is not in effect: this upload keeps the default. Use "longhaul retune id --ignore-inode".',
    ],
    [{ fairnessKey: 'a' }, `--fairness-key a is not in effect: this upload keeps the default. ${restart}`],
  ])('reports %j with the value in effect, and how to change it', (changes, line) => {
    expect(lines(changes)).toEqual([line]);
  });

  it('reports an option without a value that only the upload has', () => {
    expect(lines({}, { running: { ...request, md5: false } })).toEqual([
      `this upload keeps --no-md5, which this command does not set. ${restart}`,
    ]);
  });

  it('compares with the values that were changed after the start, if a worker reports them', () => {
    const progress = { concurrency: 9, partSizeBytes: 16 * MiB, limit: { bytesPerSecond: 0, revision: 1 } };
    const now = { concurrency: 9, partSizeBytes: 16 * MiB, limitBytesPerSecond: undefined };
    expect(lines(now, { progress })).toEqual([]);
    const notInspected = { ...progress, concurrency: 0, partSizeBytes: 0 };
    expect(lines({ limitBytesPerSecond: undefined }, { progress: notInspected })).toEqual([]);
    expect(lines({ ...now, limitBytesPerSecond: MiB }, { progress })).toEqual([
      '--limit 1MiB/s is not in effect: this upload keeps --limit none. Use "longhaul retune id --limit 1MiB/s".',
    ]);
  });

  it('does not report fewer parts if the worker of the command limits them', () => {
    expect(lines({ concurrency: 2 }, { isWorker: true })).toEqual([]);
    expect(lines({ concurrency: 2 })).toHaveLength(1);
  });

  it('reports another signature of a URL, without repeating it', () => {
    const found = runningDifferences(
      { workflowId: 'id', request, progress: undefined, query: 'sig=canary-1' },
      { request, query: 'sig=canary-2', isWorker: true },
    );
    expect(found).toEqual([expect.stringMatching(/^the query of this URL is not in effect/)]);
    expect(found.join()).not.toContain('canary');
  });

  it('quotes an ID for the shell', () => {
    const running = { workflowId: "it's one", request, progress: undefined };
    const [line] = runningDifferences(running, { request: { ...request, concurrency: 8 }, isWorker: false });
    expect(line).toContain(String.raw`longhaul retune 'it'\''s one' --concurrency 8`);
  });

  it('compares each option that does not identify the upload', () => {
    const deciding = ['source', 'within', 'purpose', 'filename', 'destination', 'expectedFingerprint', 'sharedLimit'];
    // The command computes a missing SHA-256.
    expect([...Object.keys(uploadOptionRows), ...deciding, 'sha256'].toSorted()).toEqual(
      Object.keys(uploadRequest.shape).toSorted(),
    );
    const ofSync = ['source', 'purpose', 'destination', 'prefix', 'upload'];
    expect([...Object.keys(syncOptionRows), ...ofSync].toSorted()).toEqual(Object.keys(syncRequest.shape).toSorted());
  });
});

it('reports the options of a File that a completed upload does not have', () => {
  expect(completedDifferences(request, { ...request, concurrency: 9, fileExpiresAfterSeconds: 3600 })).toEqual([
    '--expires-after 1h is not in effect: the File keeps the default. To upload the file again, add --again.',
  ]);
});

it('reports the options in which a running sync differs from the command', () => {
  const running: SyncRequest = { source: { type: 'folder', path: '/a' }, purpose: 'batch', include: ['*.a'] };
  const own: SyncRequest = { ...running, include: ['*.b'], delete: true, upload: { concurrency: 2, priority: 3 } };
  const fix = 'To change it, run "longhaul cancel id", then this command again.';
  expect(syncDifferences('id', running, own)).toEqual([
    `--include '*.b' is not in effect: this sync keeps --include '*.a'. ${fix}`,
    `--delete is not in effect: this sync keeps the default. ${fix}`,
    `--part-concurrency 2 is not in effect: this sync keeps --part-concurrency 16. ${fix}`,
    `--priority normal is not in effect: this sync keeps --priority bulk. ${fix}`,
  ]);
  expect(syncDifferences('id', own, own)).toEqual([]);
});

it('writes values as the options accept them, without loss', () => {
  for (const bytes of [MiB, 1_500_000, 33 * 1024 + MiB, 64 * MiB]) expect(partSizeOption(bytesText(bytes))).toBe(bytes);
  for (const rate of [0, 131_072, 150_001, 5 * MiB]) expect(limitOrNoneOption(rateText(rate))).toBe(rate);
  for (const ms of [1, 1500, 90_000, 3_600_000, 86_400_000 * 7]) expect(parseDuration(durationText(ms))).toBe(ms);
});
