import { describe, expect, it } from 'vitest';
import { sourceWithin } from '../../../../src/core/source/names.ts';
import { syncFileName, syncFileNameProblem } from '../../../../src/core/sync/file-name.ts';
import { syncRequestProblems } from '../../../../src/contracts/requests/problems.ts';

const good = { source: { type: 'folder', path: '/data' }, purpose: 'batch' };

describe('a sync request', () => {
  it('is valid with a source and a purpose, and with all properties', () => {
    expect(syncRequestProblems(good)).toEqual([]);
    const all = {
      ...good,
      source: { type: 'folder', path: '/data', host: 'h' },
      destination: 'azure',
      prefix: 'p-',
      include: ['*.jsonl'],
      exclude: [],
      delete: true,
      maxFiles: 0,
      maxConcurrentUploads: 200,
      dryRun: false,
      upload: { md5: false, partSizeBytes: 1024 * 1024 },
    };
    expect(syncRequestProblems(all)).toEqual([]);
    expect(syncRequestProblems({ ...good, source: { type: 's3', bucket: 'bucket' } })).toEqual([]);
  });

  it.each([
    [{}, /"source" is missing/],
    [{ ...good, source: 'x' }, /"source" must be an object such as/],
    [{ ...good, source: { type: 'ftp' } }, /unknown "type"\. Use "folder", "s3"/],
    [{ ...good, source: { type: 'folder', path: 'data' } }, /needs "path", an absolute path/],
    [{ ...good, source: { type: 'folder', path: '/data', host: 1 } }, /"host" must be a non-empty string/],
    [{ ...good, source: { type: 's3' } }, /needs "bucket"/],
    [{ ...good, include: '*.jsonl' }, /"include" must be a list of globs/],
    [{ ...good, exclude: [''] }, /"exclude" must be a list of globs/],
    [{ ...good, prefix: 1 }, /"prefix" must be a string/],
    [{ ...good, prefix: 'a/b' }, /"prefix" must not contain slashes/],
    [{ ...good, maxConcurrentUploads: 201 }, /from 1 to 200/],
    [{ ...good, upload: { md5: 1, filename: 'x' } }, /"md5" must be true or false, "filename" is not a property/],
    [{ ...good, deletes: true }, /"deletes" is not a property of a sync request/],
  ])('%j is rejected with the reason', (request, words) => {
    expect(syncRequestProblems(request).join('; ')).toMatch(words);
  });
});

describe('a path within a source', () => {
  it('becomes a name without slashes, after the prefix', () => {
    expect(syncFileName('night-', 'a/b/c d.jsonl')).toBe('night-a__b__c d.jsonl');
  });

  it('is rejected as a name if it is not UTF-8 or contains control characters', () => {
    expect(syncFileNameProblem('a\uFFFDb')).toMatch(/not UTF-8/);
    expect(syncFileNameProblem('a\nb')).toMatch(/control characters/);
    expect(syncFileNameProblem('ünï — ok.jsonl')).toBeUndefined();
  });

  it('is the path of a file on the host of its folder', () => {
    const folder = { type: 'folder', path: '/data/' } as const;
    expect(sourceWithin(folder, 'a/b')).toEqual({ type: 'file', path: '/data/a/b' });
    expect(sourceWithin({ ...folder, path: '/', host: 'h' }, 'a')).toEqual({ type: 'file', path: '/a', host: 'h' });
  });

  it('is the path of an object under the prefix of its bucket, like a folder', () => {
    const bucket = { type: 's3', bucket: 'b' } as const;
    expect(sourceWithin(bucket, 'a/b')).toEqual({ type: 's3', bucket: 'b', key: 'a/b' });
    const within = { ...bucket, prefix: 'p', connection: 'c' };
    expect(sourceWithin(within, 'a')).toEqual({ type: 's3', bucket: 'b', key: 'p/a', connection: 'c' });
    expect(sourceWithin({ ...bucket, prefix: 'p/' }, 'a')).toMatchObject({ key: 'p/a' });
  });
});
