import { expect, it } from 'vitest';
import { problemOf } from '../../../../src/cli/checks/check-jobs.ts';
import { ConfigError } from '../../../../src/errors.ts';

it('a setting that cannot be used is a problem of the destination before an upload starts', () => {
  const error = new ConfigError(
    'caFile /x does not exist. Set it to a PEM file that the user of this process can read.',
  );
  expect(problemOf(error)).toBe(`cannot be used: ${error.message}`);
});
