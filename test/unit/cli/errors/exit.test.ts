import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { Interrupted, describeError, exitCodeOf } from '../../../../src/cli/errors.ts';
import { TemporalUnreachableError } from '../../../../src/temporal/temporal-errors.ts';
import { JobFailedError, JobIdTakenError } from '../../../../src/client/errors.ts';
import { ConfigError, SourceUnusableError } from '../../../../src/errors.ts';

describe('the exit status', () => {
  it.each<[string, number, unknown]>([
    ['requested help', 0, new CommanderError(0, 'commander.help', '')],
    ['invalid usage', 2, new CommanderError(1, 'commander.unknownOption', 'unknown option')],
    ['invalid configuration', 2, new ConfigError('no key')],
    ['a directory instead of a file', 2, new SourceUnusableError('x is a directory')],
    ['an ID of another file', 2, new JobIdTakenError('i', 'upload')],
    ['an interruption', 130, new Interrupted('SIGINT')],
    ['a failed upload', 1, new JobFailedError('i', 'ApiRejected', 'refused', undefined)],
    ['no Temporal', 1, new TemporalUnreachableError('refused')],
    ['a defect of Longhaul', 1, new TypeError('x is not a function')],
    ['a thrown text', 1, 'oops'],
  ])('of %s is %i', (_, status, error) => {
    expect(exitCodeOf(error)).toBe(status);
  });
});

describe('the line about an error', () => {
  it('is the message of an expected error', () => {
    expect(describeError(new ConfigError('no key: set OPENAI_API_KEY'))).toBe('longhaul: no key: set OPENAI_API_KEY.');
  });

  it('names an unexpected error, and the setting for details', () => {
    expect(describeError(new TypeError('x is not a function'))).toBe(
      'longhaul: unexpected error: x is not a function. For details, set LONGHAUL_LOG_LEVEL=debug.',
    );
    expect(describeError('oops')).toMatch(/^longhaul: unexpected error: oops/);
  });

  it('is one line', () => {
    expect(describeError(new ConfigError('a:\n  b\r\n  c'))).toBe('longhaul: a: · b · c.');
  });

  it('is omitted if the error was already printed', () => {
    expect(describeError(new CommanderError(1, 'commander.unknownOption', 'unknown option'))).toBeUndefined();
    expect(describeError(new Interrupted('SIGINT'))).toBeUndefined();
  });
});
