import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { Interrupted, describeError, exitCodeOf } from '../../../../src/cli/errors/exit.ts';
import { TemporalUnreachableError } from '../../../../src/temporal/temporal-errors.ts';
import { JobFailedError, JobIdTakenError } from '../../../../src/client/errors.ts';
import { ConfigError, SourceUnusableError } from '../../../../src/errors.ts';

describe('the exit status', () => {
  it.each<[string, unknown, number]>([
    ['help that was asked for', new CommanderError(0, 'commander.help', ''), 0],
    ['wrong usage', new CommanderError(1, 'commander.unknownOption', 'unknown option'), 2],
    ['wrong configuration', new ConfigError('no key'), 2],
    ['a file that is none', new SourceUnusableError('x is a directory'), 2],
    ['an id of another file', new JobIdTakenError('i', 'upload'), 2],
    ['an interruption', new Interrupted('SIGINT'), 130],
    ['a failed upload', new JobFailedError('i', 'ApiRejected', 'refused', undefined), 1],
    ['no Temporal', new TemporalUnreachableError('refused'), 1],
    ['a fault of ours', new TypeError('x is not a function'), 1],
    ['a thrown text', 'oops', 1],
  ])('of %s is %#', (_, error, status) => {
    expect(exitCodeOf(error)).toBe(status);
  });
});

describe('the line about an error', () => {
  it('is the message of an expected one', () => {
    expect(describeError(new ConfigError('no key: set OPENAI_API_KEY'))).toBe('longhaul: no key: set OPENAI_API_KEY');
  });

  it('says of an unexpected one that it is, and how to see more', () => {
    expect(describeError(new TypeError('x is not a function'))).toBe(
      'longhaul: unexpected: x is not a function (LONGHAUL_LOG_LEVEL=debug shows more)',
    );
    expect(describeError('oops')).toMatch(/^longhaul: unexpected: oops/);
  });

  it('is one line', () => {
    expect(describeError(new ConfigError('a:\n  b\r\n  c'))).toBe('longhaul: a: · b · c');
  });

  it('is left out where something was said already', () => {
    expect(describeError(new CommanderError(1, 'commander.unknownOption', 'unknown option'))).toBeUndefined();
    expect(describeError(new Interrupted('SIGINT'))).toBeUndefined();
  });
});
