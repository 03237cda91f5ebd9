import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parseTime, toScheduledWork, toScheduleSettings } from '../../../../../src/cli/commands/schedule/options.ts';
import { addSyncOptions, toSyncRequest, type SyncOptions } from '../../../../../src/cli/commands/sync/options.ts';
import { loadConfig } from '../../../../../src/config/config.ts';
import { withTempDir } from '../../../../support/temp-dir.ts';

const config = { host: 'here', destinations: loadConfig({ LONGHAUL_CONFIG: '' }).destinations };

function optionsOf(...args: string[]): SyncOptions {
  return addSyncOptions(new Command('sync')).parse(args, { from: 'user' }).opts();
}

describe('the options of a sync', () => {
  it('become a request without other properties', async () => {
    expect(await toSyncRequest('s3://bucket/some/prefix', optionsOf('--purpose', 'batch'), config)).toEqual({
      source: { type: 's3', bucket: 'bucket', prefix: 'some/prefix' },
      purpose: 'batch',
    });
    const all = [
      '--purpose',
      'batch',
      '--include',
      'a',
      '--include',
      'b',
      '--exclude',
      'c',
      '--prefix',
      'p-',
      '--delete',
      '--max-files',
      '9',
    ];
    const more = [
      '--concurrency',
      '3',
      '--part-size',
      '8MiB',
      '--no-md5',
      '--dry-run',
      '--destination',
      'other',
      '--connection',
      'minio',
    ];
    expect(await toSyncRequest('s3://bucket', optionsOf(...all, ...more), config)).toEqual({
      source: { type: 's3', bucket: 'bucket', connection: 'minio' },
      purpose: 'batch',
      destination: 'other',
      prefix: 'p-',
      include: ['a', 'b'],
      exclude: ['c'],
      delete: true,
      maxFiles: 9,
      maxConcurrentUploads: 3,
      dryRun: true,
      upload: { partSizeBytes: 8 * 1024 * 1024, md5: false },
    });
  });

  it('make a folder path absolute, resolve its links, and name its host', () =>
    withTempDir(async (directory) => {
      await mkdir(join(directory, 'data'));
      await symlink('data', join(directory, 'link'));
      const { source } = await toSyncRequest(join(directory, 'link/'), optionsOf('--purpose', 'batch'), config);
      expect(source).toEqual({ type: 'folder', path: join(directory, 'data'), host: 'here' });
      const near = relative(process.cwd(), join(directory, 'data'));
      expect(await toSyncRequest(near, optionsOf('--purpose', 'batch'), config)).toMatchObject({ source });
    }));

  it('are rejected with all problems, and for an invalid source', () =>
    withTempDir(async (directory) => {
      const sync = (source: string, ...args: string[]) =>
        toSyncRequest(source, optionsOf('--purpose', 'batch', ...args), config);
      await writeFile(join(directory, 'file'), 'x');
      await expect(sync(join(directory, 'file'))).rejects.toThrow(/is not a folder/);
      await expect(sync(join(directory, 'missing'))).rejects.toThrow(/missing.*not exist/);
      await expect(sync('ftp://host/x')).rejects.toThrow(/Use a folder, or a bucket/);
      await expect(sync(directory, '--connection', 'x')).rejects.toThrow(/requires a source or a manifest such as s3/);
      const at = (place: string, ...args: string[]) => sync(directory, '--manifest', place, ...args);
      await expect(at('s3://bucket')).rejects.toThrow(/must be an object, for example s3:/);
      await expect(at('https://host/x')).rejects.toThrow(/cannot use the manifest "https:/);
      expect((await at('s3://bucket/key', '--connection', 'x')).manifest).toMatchObject({
        key: 'key',
        connection: 'x',
      });
      const path = join(await realpath(directory), 'm.jsonl');
      expect((await at(join(directory, 'm.jsonl'))).manifest).toEqual({ type: 'file', path, host: config.host });
      await expect(sync(directory, '--checksum', '--no-md5')).rejects.toThrow(/"checksum" needs the MD5/);
      await expect(sync(directory, '--purpose', 'dance', '--prefix', 'a/b')).rejects.toThrow(
        /must not contain slashes.*unknown purpose "dance"/,
      );
    }));
});

describe('the command after -- of a schedule', () => {
  it('is parsed like the command sync', async () => {
    const problems: string[] = [];
    expect(await toScheduledWork(['sync', 's3://bucket', '--purpose', 'batch'], config, problems)).toMatchObject({
      sync: { purpose: 'batch' },
    });
    expect(problems).toEqual([]);
  });

  it('is parsed like the command upload, without options that do not change the request', async () => {
    const problems: string[] = [];
    const options = ['--purpose', 'batch', '--expires-after', '7d', '--priority', 'normal', '--filename', 'x.jsonl'];
    const work = await toScheduledWork(['upload', 's3://bucket/latest.jsonl', ...options], config, problems);
    expect(problems).toEqual([]);
    expect(work).toEqual({
      upload: {
        source: { type: 's3', bucket: 'bucket', key: 'latest.jsonl' },
        purpose: 'batch',
        fileExpiresAfterSeconds: 604_800,
        priority: 3,
        filename: 'x.jsonl',
        md5: true,
      },
    });
    const file = await toScheduledWork(['upload', 'package.json', '--purpose', 'vision'], config, problems);
    expect(file?.upload?.source).toEqual({
      type: 'file',
      path: expect.stringMatching(/^\/.*package\.json$/),
      host: config.host,
    });
  });

  it.each(['s3://bucket/a*b/', 's3://bucket/*/c', 's3://bucket/data [1]'])('accepts the prefix %s', async (url) => {
    const problems: string[] = [];
    const work = await toScheduledWork(['sync', url, '--purpose', 'batch'], config, problems);
    expect(work?.sync?.source).toMatchObject({ prefix: url.replace('s3://bucket/', '') });
    expect(problems).toEqual([]);
  });

  it.each([
    [['sync', 's3://bucket'], /required option '--purpose/],
    [['sync', 's3://bucket', '--purpose', 'batch', '--perhaps'], /unknown option '--perhaps'/],
    [['sync', '--purpose', 'batch'], /missing required argument 'source'/],
    [['sync', 's3://a', 's3://b', '--purpose', 'batch'], /too many arguments/],
    [['sync', 's3://bucket', '--purpose', 'dance'], /unknown purpose "dance"/],
    [
      ['sync', 's3://bucket/logs/*.jsonl', '--purpose', 'batch'],
      /^sync: the source "s3:\/\/bucket\/logs\/\*\.jsonl" has a wildcard.* Use: s3:\/\/bucket\/logs\/ --include '\/\*\.jsonl'\. If the prefix/,
    ],
    [
      ['sync', '/no/such/*.jsonl', '--purpose', 'batch'],
      /^sync: the source "\/no\/such\/\*\.jsonl" has a wildcard.* Use: \/no\/such\/ --include '\/\*\.jsonl'$/,
    ],
    [['upload', '/no/such', '--purpose', 'batch'], /^upload: cannot read \/no\/such: it does not exist/],
    [['upload', '/tmp', '--purpose', 'batch'], /^upload: \/tmp is not a file\. Use "sync" for a folder/],
    [['upload', 'https://host/x?sig=canary', '--purpose', 'batch'], /^upload: (?!.*canary).* URL with a query/],
    [['upload', 's3://bucket/a', '--purpose', 'batch'], /^upload: s3:\/\/bucket\/a is not accepted: .* end in \.jsonl/],
    [['upload', 's3://bucket/a', '--purpose', 'dance'], /^upload: unknown purpose "dance"/],
    [
      ['upload', 'package.json', '--purpose', 'dance', '--connection', 'x'],
      /^upload: unknown purpose "dance"\. Use [\w, -]+; --connection requires a source [^;]+[^.]$/,
    ],
    [['upload', 's3://bucket/a', '--purpose', 'batch', '--detach'], /^upload: unknown option '--detach'/],
    [['download', 'x'], /after "--", use "sync" or "upload", not "download"/],
    [[], /after "--", use "sync" or "upload", for/],
  ])('is rejected if it is %j', async (words, problem) => {
    const problems: string[] = [];
    expect(await toScheduledWork(words, config, problems)).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});

describe('the options of a schedule', () => {
  it('become settings', () => {
    const problems: string[] = [];
    const settings = toScheduleSettings(
      {
        cron: ['@daily'],
        every: '1h30m',
        offset: '5m',
        jitter: '10s',
        catchup: '2d',
        start: '2026-12-01',
        end: '2026-12-01T02:00:00+01:00',
        overlap: 'skip',
        timezone: 'UTC',
        pauseOnFailure: false,
        note: '',
      },
      true,
      problems,
    );
    expect(problems).toEqual([]);
    expect(settings).toEqual({
      cron: ['@daily'],
      everyMs: 5_400_000,
      offsetMs: 300_000,
      jitterMs: 10_000,
      catchupWindowMs: 172_800_000,
      startAt: new Date('2026-12-01T00:00:00Z'),
      endAt: new Date('2026-12-01T01:00:00Z'),
      overlap: 'skip',
      timezone: 'UTC',
      pauseOnFailure: false,
      note: '',
    });
  });

  it('are rejected with each problem once', () => {
    const problems: string[] = [];
    toScheduleSettings({ every: 'often', jitter: '5', start: 'soon', end: '2026-02-30' }, true, problems);
    expect(problems).toEqual([
      expect.stringMatching(/--every must be a duration, .*, not "often"/),
      expect.stringMatching(/--jitter must be a duration, .*, not "5"/),
      expect.stringMatching(/--start must be a time, .*, not "soon"/),
      expect.stringMatching(/--end must be a time, .*, not "2026-02-30"/),
    ]);
  });

  it('must contain a time for a new schedule, and not for a change', () => {
    const problems: string[] = [];
    toScheduleSettings({ jitter: '5m' }, true, problems);
    toScheduleSettings({ jitter: '5m' }, false, problems);
    expect(problems).toEqual([expect.stringMatching(/^set --cron or --every, for example /)]);
  });

  it.each([
    '',
    '2026',
    '2026-13-01',
    '2026-02-30T00:00Z',
    '2026-12-01T02:00',
    '2026-12-01T25:00Z',
    '2026-12-01 02:00Z',
  ])('reject the time %j', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
