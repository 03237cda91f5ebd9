import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { LonghaulCommand } from '../../../../src/cli/command.ts';
import { connectionProblem } from '../../../../src/cli/options/request-options.ts';
import {
  addScheduleOptions,
  toScheduleSettings,
  type ScheduleCommandOptions,
} from '../../../../src/cli/commands/schedule/options.ts';
import { addSyncOptions, toSyncRequest, type SyncOptions } from '../../../../src/cli/commands/sync/options.ts';
import {
  addUploadOptions,
  toUploadOptions,
  type UploadCommandOptions,
} from '../../../../src/cli/commands/upload/options.ts';
import type { ScheduleSettings } from '../../../../src/contracts/schedule.ts';
import type { SplitUploadRequest } from '../../../../src/contracts/split.ts';
import type { SyncRequest, SyncUploadSettings } from '../../../../src/contracts/sync.ts';
import {
  splitRequestProblems,
  syncRequestProblems,
  uploadRequestProblems,
} from '../../../../src/contracts/requests/problems.ts';
import { uploadRequest } from '../../../../src/contracts/requests/upload.ts';
import { syncRequest, uploadSettings } from '../../../../src/contracts/requests/sync.ts';

/** An option that sets a property, and the value in the request; or the reason why no option exists. */
type Row = readonly [option: string, value: unknown] | string;

const common: Readonly<Record<Exclude<keyof SyncUploadSettings, 'concurrency'>, Row>> = {
  partSizeBytes: ['--part-size=32MiB', 33_554_432],
  maxSessions: ['--max-sessions=5', 5],
  giveUpAfterMs: ['--give-up-after=6h', 21_600_000],
  check: ['--check=chat', 'chat'],
  md5: ['--no-md5', false],
  ignoreInode: ['--ignore-inode', true],
  mimeType: ['--mime-type=text/x-diff', 'text/x-diff'],
  fileExpiresAfterSeconds: ['--expires-after=7d', 604_800],
  priority: ['--priority=1', 1],
  fairnessKey: ['--fairness-key=tenant', 'tenant'],
  fairnessWeight: ['--fairness-weight=2.5', 2.5],
};

const uploadRows: Readonly<Record<keyof SplitUploadRequest, Row>> = {
  ...common,
  source: 'the argument of the command',
  purpose: ['--purpose=vision', 'vision'],
  filename: ['--filename=x.txt', 'x.txt'],
  destination: ['--destination=azure-eu', 'azure-eu'],
  concurrency: ['--concurrency=7', 7],
  limitBytesPerSecond: ['--limit=1MiB/s', 1_048_576],
  heartbeatTimeoutMs: ['--heartbeat-timeout=30s', 30_000],
  transferTaskQueue: ['--transfer-queue=movers', 'movers'],
  pieceSizeBytes: ['--split-size=1GiB', 1_073_741_824],
  again: ['--again', true],
  sha256: ['--sha256', true],
  expectedFingerprint: 'the command reads the fingerprint from the source',
  within: 'a sync sets it for its uploads',
  sharedLimit: 'a sync sets it for its uploads',
};

const syncRows: Readonly<Record<keyof SyncRequest, Row>> = {
  source: 'the argument of the command',
  purpose: ['--purpose=vision', 'vision'],
  destination: ['--destination=azure-eu', 'azure-eu'],
  prefix: ['--prefix=night-', 'night-'],
  include: ['--include=*.jsonl', ['*.jsonl']],
  exclude: ['--exclude=*.tmp', ['*.tmp']],
  minAgeMs: ['--min-age=5m', 300_000],
  checksum: ['--checksum', true],
  manifest: [
    '--manifest=s3://state/sync.jsonl',
    { type: 's3', bucket: 'state', key: 'sync.jsonl', connection: undefined },
  ],
  delete: ['--delete', true],
  maxFiles: ['--max-files=10', 10],
  maxConcurrentUploads: ['--concurrency=3', 3],
  limitBytesPerSecond: ['--limit=1MiB/s', 1_048_576],
  dryRun: ['--dry-run', true],
  upload: 'see the options of its uploads',
};

const scheduleRows: Readonly<Record<keyof ScheduleSettings, Row>> = {
  cron: ['--cron=@daily', ['@daily']],
  everyMs: ['--every=6h', 21_600_000],
  offsetMs: ['--offset=5m', 300_000],
  timezone: ['--timezone=Europe/Berlin', 'Europe/Berlin'],
  jitterMs: ['--jitter=10s', 10_000],
  catchupWindowMs: ['--catchup=2d', 172_800_000],
  overlap: ['--overlap=buffer-one', 'buffer-one'],
  pauseOnFailure: ['--pause-on-failure', true],
  startAt: ['--start=2026-12-01', new Date('2026-12-01')],
  endAt: ['--end=2026-12-01', new Date('2026-12-01')],
  note: ['--note=text', 'text'],
};

const settingRows: Readonly<Record<keyof SyncUploadSettings, Row>> = {
  ...common,
  concurrency: ['--part-concurrency=7', 7],
};

function parse(add: (command: LonghaulCommand) => unknown, ...args: string[]): unknown {
  const command = new LonghaulCommand('it').argument('<source>').exitOverride();
  command.configureOutput({ writeErr: () => {} }).action(() => {});
  add(command);
  const isOfSchedule = command.options.some(({ long }) => long === '--cron');
  const purpose = isOfSchedule || args.some((arg) => arg.startsWith('--purpose')) ? [] : ['--purpose=batch'];
  return command.parse(['source', ...purpose, ...args], { from: 'user' }).opts();
}

const upload = (...args: string[]) =>
  toUploadOptions('/data/a', parse(addUploadOptions, ...args) as UploadCommandOptions, undefined);
const sync = (...args: string[]) =>
  toSyncRequest(tmpdir(), parse(addSyncOptions, ...args) as SyncOptions, {
    host: 'here',
    destinations: new Map(),
  });

const withOption = (rows: Readonly<Record<string, Row>>) =>
  Object.entries(rows).flatMap(([name, row]) => (typeof row === 'string' ? [] : [[name, ...row] as const]));

describe('the options of a command', () => {
  it('cover each property of a request', () => {
    expect(Object.keys(uploadRows).toSorted()).toEqual(
      [...Object.keys(uploadRequest.shape), 'again', 'pieceSizeBytes'].toSorted(),
    );
    expect(Object.keys(syncRows).toSorted()).toEqual(Object.keys(syncRequest.shape).toSorted());
    expect(Object.keys(settingRows).toSorted()).toEqual(Object.keys(uploadSettings.shape).toSorted());
  });

  it.each(withOption(uploadRows))('set %s of an upload by %s', (name, option, value) => {
    const { file: _file, ...request } = upload(option) as unknown as Record<string, unknown>;
    expect(request[name]).toEqual(value);
    const problems = Object.hasOwn(uploadRequest.shape, name) ? uploadRequestProblems : splitRequestProblems;
    expect(problems({ ...request, source: { type: 'file', path: '/data/a' } })).toEqual([]);
  });

  it.each(withOption(syncRows))('set %s of a sync by %s', async (name, option, value) => {
    const request = await sync(option);
    expect(request[name as keyof SyncRequest]).toEqual(value);
    expect(syncRequestProblems(request)).toEqual([]);
  });

  it.each(withOption(settingRows))('set %s of the uploads of a sync by %s', async (name, option, value) => {
    const request = await sync(option);
    expect(request.upload?.[name as keyof SyncUploadSettings]).toEqual(value);
    expect(syncRequestProblems(request)).toEqual([]);
  });

  it.each(withOption(scheduleRows))('set %s of a schedule by %s', (name, option, value) => {
    const problems: string[] = [];
    const every = name === 'offsetMs' ? ['--every=6h'] : [];
    const options = parse(addScheduleOptions, option, ...every) as ScheduleCommandOptions;
    expect(toScheduleSettings(options, false, problems)[name as keyof ScheduleSettings]).toEqual(value);
    expect(problems).toEqual([]);
  });

  it.each([
    ['--priority=bulk', 'priority', 4],
    ['--give-up-after=never', 'giveUpAfterMs', 0],
    ['--expires-after=30d', 'fileExpiresAfterSeconds', 2_592_000],
  ])('accept %s', (option, name, value) => {
    expect(upload(option)).toHaveProperty(name, value);
  });

  it.each([
    ['--expires-after=59m', 'Use a duration from 1h to 30d, for example 7d.'],
    ['--expires-after=31d', 'Use a duration from 1h to 30d'],
    ['--expires-after=604800', 'Use a duration from 1h to 30d'],
    ['--expires-after=1h250ms', 'Use whole seconds'],
    ['--max-sessions=0', 'Use a whole number from 1 to 10.'],
    ['--give-up-after=soon', 'Use a duration from 0s to 365d, for example 6h, or never.'],
    ['--priority=6', 'Use interactive, normal, bulk, or a number from 1 (first) to 5 (last).'],
    ['--fairness-weight=0', 'Use a number from 0.001 to 1000'],
    [`--fairness-key=${'x'.repeat(65)}`, 'Use a text of 1 to 64 bytes.'],
    ['--mime-type=jsonl', 'The value must be a MIME type, for example text/plain or application/pdf.'],
    ['--heartbeat-timeout=11m', 'Use a duration from 1s to 10m'],
    ['--limit=1KiB/s', 'Use a rate of at least 128 KiB/s'],
  ])('reject %s, with the limits and the name of the option', (option, message) => {
    expect(() => upload(option)).toThrow(message);
    expect(() => upload(option)).toThrow(option.replace(/=.*/, ''));
  });
});

it('--connection is rejected if no source is in S3', () => {
  expect(connectionProblem('minio', ['a.jsonl', 'https://host/x'])).toMatch(
    /^--connection requires a source such as s3/,
  );
  expect(connectionProblem('minio', ['a.jsonl', 'S3://bucket/x'])).toBeUndefined();
  expect(connectionProblem(undefined, ['a.jsonl'])).toBeUndefined();
});
