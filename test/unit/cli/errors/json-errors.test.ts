import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { Interrupted, jsonErrorOf, wantsJson } from '../../../../src/cli/errors.ts';
import { JobFailedError } from '../../../../src/client/errors.ts';
import { TemporalUnreachableError } from '../../../../src/temporal/temporal-errors.ts';
import { FailureType } from '../../../../src/contracts/failures.ts';
import { ApiError, ConfigError, SourceMissingError, SourceReadError } from '../../../../src/errors.ts';

describe('jsonErrorOf', () => {
  it.each<[unknown, string]>([
    [new JobFailedError('i', 'ApiRejected', 'no', undefined), FailureType.ApiRejected],
    [new JobFailedError('i', 'TooManyFiles', 'no', undefined), FailureType.TooManyFiles],
    [new SourceMissingError('no'), FailureType.SourceMissing],
    [new SourceReadError('no'), FailureType.SourceUnavailable],
    [new ApiError('no', { status: 401 }), FailureType.ApiRejected],
    [new ApiError('no', { status: 503 }), FailureType.ApiUnavailable],
    [new ConfigError('no'), FailureType.ConfigInvalid],
    [new TemporalUnreachableError('no'), 'TemporalUnreachable'],
    [Object.assign(new Error('no'), { code: 'EACCES', syscall: 'open', path: '/x' }), 'EACCES'],
    [new TypeError('no'), 'Unexpected'],
    [new Interrupted('SIGINT'), 'Interrupted'],
  ])('names %s %s', (error, code) => {
    expect(jsonErrorOf(error)).toEqual({ code, message: expect.stringMatching(/./) });
  });

  it('contains the text of Commander without its prefix, on one line', () => {
    const error = new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'\n(Did you mean --y?)");
    expect(jsonErrorOf(error)).toEqual({
      code: 'UsageInvalid',
      message: "unknown option '--x' (Did you mean --y?)",
    });
  });
});

describe('wantsJson', () => {
  it('finds --json before --, also on a line that cannot be parsed', () => {
    expect(wantsJson(['upload', '--bad', '--json'])).toBe(true);
    expect(wantsJson(['upload', '--', '--json'])).toBe(false);
    expect(wantsJson(['upload', '--jsonl'])).toBe(false);
  });
});
