import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { Interrupted, describeError, exitCodeOf } from '../../../../src/cli/errors.ts';
import { TemporalUnreachableError } from '../../../../src/temporal/temporal-errors.ts';
import { JobFailedError, JobIdTakenError } from '../../../../src/client/errors.ts';
import { ConfigError, SourceUnusableError } from '../../../../src/errors.ts';

describe('the exit status', () => {
  it.each<[string, unknown, number]>([
    ['requested help', new CommanderError(0, 'commander.help', ''), 0],
    ['invalid usage', new CommanderError(1, 'commander.unknownOption', 'unknown option'), 2],
    ['invalid configuration', new ConfigError('no key'), 2],
    ['a directory instead of a file', new SourceUnusableError('x is a directory'), 2],
    ['an ID of another file', new JobIdTakenError('i', 'upload'), 2],
    ['an interruption', new Interrupted('SIGINT'), 130],
    ['a failed upload', new JobFailedError('i', 'ApiRejected', 'refused', undefined), 1],
    ['no Temporal', new TemporalUnreachableError('refused'), 1],
    ['a defect of Longhaul', new TypeError('x is not a function'), 1],
    ['a thrown text', 'oops', 1],
  ])('of %s is %#', (_, error, status) => {
    expect(exitCodeOf(error)).toBe(status);
  });
});

describe('the line about an error', () => {
  it('is the message of an expected error', () => {
    expect(describeError(new ConfigError('no key: set OPENAI_API_KEY'))).toBe('longhaul: no key: set OPENAI_API_KEY');
  });

  it('names an unexpected error, and the setting for details', () => {
    expect(describeError(new TypeError('x is not a function'))).toBe(
      'longhaul: unexpected error: x is not a function. For details, set LONGHAUL_LOG_LEVEL=debug.',
    );
    expect(describeError('oops')).toMatch(/^longhaul: unexpected error: oops/);
  });

  it('is one line', () => {
    expect(describeError(new ConfigError('a:\n  b\r\n  c'))).toBe('longhaul: a: · b · c');
  });

  it('is omitted if the error was already printed', () => {
    expect(describeError(new CommanderError(1, 'commander.unknownOption', 'unknown option'))).toBeUndefined();
    expect(describeError(new Interrupted('SIGINT'))).toBeUndefined();
  });
});
