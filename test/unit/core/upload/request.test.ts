import { describe, expect, it } from 'vitest';
import type { UploadRequest } from '../../../../src/contracts/upload.ts';
import {
  splitRequestProblems,
  syncRequestProblems,
  uploadRequestProblems,
} from '../../../../src/contracts/requests/problems.ts';
import { retuneProblems } from '../../../../workflows/shell/control-problems.ts';

const good: UploadRequest = { source: { type: 'file', path: '/data/x.jsonl' }, purpose: 'batch' };

describe('an upload request', () => {
  it('requires only a source and a purpose', () => {
    expect(uploadRequestProblems(good)).toEqual([]);
    expect(uploadRequestProblems({})).toEqual(['"source" is missing', '"purpose" is missing']);
    expect(uploadRequestProblems({ source: undefined, purpose: undefined })).toHaveLength(2);
  });

  it('can set all properties', () => {
    const full: Required<UploadRequest> = {
      source: { type: 'file', path: '/data/x.jsonl', host: 'a', range: { offsetBytes: 0, sizeBytes: 1 } },
      within: { type: 'folder', path: '/data', host: 'a' },
      purpose: 'fine-tune',
      filename: 'x.jsonl',
      mimeType: 'text/jsonl',
      destination: 'azure-eu',
      partSizeBytes: 67_108_864,
      concurrency: 256,
      limitBytesPerSecond: 131_072,
      sharedLimit: { key: 'nightly', bytesPerSecond: 131_072 },
      maxSessions: 10,
      md5: false,
      sha256: true,
      check: 'jsonl' as const,
      ignoreInode: false,
      expectedFingerprint: 'f',
      fileExpiresAfterSeconds: 3600,
      transferTaskQueue: 'q',
      giveUpAfterMs: 1,
      heartbeatTimeoutMs: 1000,
      priority: 1,
      fairnessKey: '32 × ü'.padEnd(62, 'x'),
      fairnessWeight: 0.001,
    };
    expect(uploadRequestProblems(full)).toEqual([]);
  });

  it('can ignore the inode of a file, if the MD5 is checked', () => {
    const request = { ...good, ignoreInode: true };
    expect(uploadRequestProblems(request)).toEqual([]);
    expect(uploadRequestProblems({ ...request, md5: false })).toEqual([
      '"ignoreInode" needs the MD5, which detects other content; remove "md5": false',
    ]);
    const source = { type: 's3', bucket: 'bucket', key: 'key' };
    expect(uploadRequestProblems({ ...request, source })).toEqual(['"ignoreInode" is for files; remove it']);
    expect(splitRequestProblems(request)).toEqual([expect.stringContaining('split upload')]);
    const sync = { source: { type: 'folder', path: '/data' }, purpose: 'batch', upload: { ignoreInode: true } };
    expect(syncRequestProblems(sync)).toEqual([]);
    expect(syncRequestProblems({ ...sync, source: { type: 's3', bucket: 'bucket' } })).toHaveLength(1);
    expect(syncRequestProblems({ ...sync, upload: { ignoreInode: true, md5: false } })).toHaveLength(1);
  });

  it('reports all problems together', () => {
    const problems = uploadRequestProblems({ purpose: '', partsize: 1, concurrency: 0, md5: 'yes' });
    expect(problems).toEqual([
      '"source" is missing',
      '"purpose" must be a non-empty string',
      '"partsize" is not a property of an upload request',
      '"concurrency" must be a whole number from 1 to 256',
      '"md5" must be true or false',
    ]);
  });

  it.each([undefined, null, 'x', 5, [good]])('must be an object, not %j', (request) => {
    expect(uploadRequestProblems(request)).toEqual(['an upload request must be an object']);
  });

  it.each([
    ['partSizeBytes', 1_048_575],
    ['partSizeBytes', 1_073_741_825],
    ['partSizeBytes', 8_388_608.5],
    ['partSizeBytes', '8388608'],
    ['partSizeBytes', Number.NaN],
    ['concurrency', 257],
    ['sharedLimit', { key: 'a' }],
    ['sharedLimit', { key: '', bytesPerSecond: 131_072 }],
    ['sharedLimit', { key: 'a', bytesPerSecond: 1 }],
    ['maxSessions', 0],
    ['maxSessions', 11],
    ['fileExpiresAfterSeconds', 3599],
    ['fileExpiresAfterSeconds', 2_592_001],
    ['heartbeatTimeoutMs', 999],
    ['filename', 'a/b'],
    ['filename', 'a\nb'],
    ['filename', 7],
    ['mimeType', ''],
    ['destination', null],
    ['transferTaskQueue', ''],
    ['expectedFingerprint', {}],
    ['md5', 1],
    ['priority', 0],
    ['priority', 6],
    ['priority', '3'],
    ['fairnessKey', ''],
    ['fairnessKey', 'ü'.repeat(33)],
    ['fairnessWeight', 0],
    ['fairnessWeight', 1000.1],
    ['fairnessWeight', '1'],
    ['fairnessWeight', Number.NaN],
  ])('is rejected with %s %j', (name, value) => {
    const problems = uploadRequestProblems({ ...good, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^"${name}" must (be|have|not contain) `));
  });

  it.each([
    ['no object', 'x', 'must be an object such as {"type":"file","path":"/data/x.jsonl"}'],
    ['null', null, 'must be an object such as {"type":"file","path":"/data/x.jsonl"}'],
    ['another type', { type: 'ftp', path: '/x' }, 'has an unknown "type". Use "file", "s3", "http"'],
    ['no bucket', { type: 's3', key: 'x' }, 'needs "bucket" and "key"'],
    [
      'an empty connection',
      { type: 's3', bucket: 'b', key: 'k', connection: '' },
      '"connection" must be a non-empty string',
    ],
    ['an unknown property', { type: 'file', path: '/x', user: 'u' }, 'has an unknown property "user"'],
    ...['http://u:p@h/x', 'https://h/x?sig=1', 'https://h/x#f', 'file:///etc/passwd', 'http://'].map(
      (url): [string, unknown, string] => [
        `the URL ${url}`,
        { type: 'http', url },
        'needs "url", an http:// or https:// address without user, query and fragment, which may be secret',
      ],
    ),
    ['no path', { type: 'file' }, 'needs "path", an absolute path as the worker sees it'],
    ['a relative path', { type: 'file', path: 'x' }, 'needs "path", an absolute path as the worker sees it'],
    ['an empty host', { type: 'file', path: '/x', host: '' }, '"host" must be a non-empty string'],
    ...[null, 5, {}, { offsetBytes: -1, sizeBytes: 1 }, { offsetBytes: 0, sizeBytes: 0 }].map(
      (range): [string, unknown, string] => [
        `one with the range ${JSON.stringify(range)}`,
        { type: 'file', path: '/x', range },
        'has an invalid "range": it must have "offsetBytes" (0 or more) and "sizeBytes" (1 or more)',
      ],
    ),
  ])('is rejected with a source that is %s', (_, source, problem) => {
    expect(uploadRequestProblems({ ...good, source })).toEqual([`"source" ${problem}`]);
  });

  it('ignores inherited properties', () => {
    expect(uploadRequestProblems({ ...good, constructor: 1, toString: 2 })).toHaveLength(2);
  });
});

describe('the input of a retune', () => {
  it('changes the concurrency, the size of the next parts, the limit, or some of them', () => {
    expect(retuneProblems({ concurrency: 4 })).toEqual([]);
    expect(retuneProblems({ concurrency: 4, partSizeBytes: 1_048_576 })).toEqual([]);
    for (const limitBytesPerSecond of [0, 131_072, 1e12]) expect(retuneProblems({ limitBytesPerSecond })).toEqual([]);
  });

  it('is rejected with all problems', () => {
    expect(retuneProblems({})).toEqual(['set "concurrency", "partSizeBytes", "limitBytesPerSecond" or "ignoreInode"']);
    expect(retuneProblems(undefined)).toEqual(['a retune must be an object']);
    expect(retuneProblems({ limitBytesPerSecond: 1 })).toEqual([
      '"limitBytesPerSecond" must be 0, or a whole number from 131072',
    ]);
    expect(retuneProblems({ concurrency: 0, speed: 1 })).toEqual([
      '"concurrency" must be a whole number from 1 to 256',
      '"speed" is not a property of a retune',
    ]);
  });
});
