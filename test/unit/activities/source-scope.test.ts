import { describe, expect, it } from 'vitest';
import { scopedSourceError } from '../../../activities/source-scope.ts';
import { ApiError, SourceMissingError, SourceReadError } from '../../../src/errors.ts';
import { mapFileError } from '../../../src/sources/file/errors.ts';
import { mapS3Error } from '../../../src/sources/s3/errors.ts';
import type { Sources } from '../../../src/sources/sources.ts';

const within = { type: 'folder', path: '/data' } as const;

function scoped(error: unknown, attempt: number, problem?: Error, failsQuickly = true) {
  const check = () => (problem ? Promise.reject(problem) : Promise.resolve());
  const context = { sources: { check } as unknown as Sources, signal: new AbortController().signal };
  return scopedSourceError(error, { within, failsQuickly }, { attempt }, context);
}

function fromS3(status: number, name: string): unknown {
  return mapS3Error(Object.assign(new Error('m'), { name, $metadata: { httpStatusCode: status } }), 's3://b/k');
}

function fromDisk(code: string): Promise<unknown> {
  const failed = mapFileError('/data/x', Promise.reject(Object.assign(new Error(code), { code })));
  return failed.catch((error: unknown) => error);
}

describe('scopedSourceError', () => {
  it('ends an error of one file at the third attempt, if the folder can be read', async () => {
    const error = new SourceReadError('m');
    const file = [{ sourceScope: 'file' }];
    expect(await scoped(error, 2)).toMatchObject({ type: 'SourceUnavailable', nonRetryable: false, details: file });
    expect(await scoped(error, 3)).toMatchObject({ type: 'SourceUnavailable', nonRetryable: true, details: file });
    expect(await scoped(error, 3, undefined, false)).toMatchObject({ nonRetryable: false, details: file });
    expect(await scoped(new SourceMissingError('m'), 1)).toMatchObject({ nonRetryable: true, details: file });
  });

  it('returns the error of the folder, if that cannot be read', async () => {
    const problem = new SourceReadError('the folder.');
    const expected = { message: 'the folder.', nonRetryable: false, details: [{ sourceScope: 'container' }] };
    expect(await scoped(new SourceMissingError('m'), 3, problem)).toMatchObject(expected);
  });

  it('does not end an overload of the store or of this process quickly', async () => {
    const overloads = [fromS3(503, 'SlowDown'), fromS3(503, 'Unknown'), fromS3(429, 'x'), fromS3(400, 'Throttling')];
    for (const error of [...overloads, await fromDisk('EMFILE')]) {
      expect(await scoped(error, 9)).toMatchObject({ type: 'SourceUnavailable', nonRetryable: false });
    }
    for (const error of [fromS3(500, 'InternalError'), await fromDisk('EIO')]) {
      expect(await scoped(error, 9)).toMatchObject({ type: 'SourceUnavailable', nonRetryable: true });
    }
  });

  it('returns any other error as it is', async () => {
    const error = new ApiError('m', { status: 403 });
    expect(await scoped(error, 9)).toBe(error);
  });
});
