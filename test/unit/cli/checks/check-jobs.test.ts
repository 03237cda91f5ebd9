import { expect, it } from 'vitest';
import { checkDestination, problemOf } from '../../../../src/cli/checks/check-jobs.ts';
import { ConfigError } from '../../../../src/errors.ts';

it('a setting that cannot be used is a problem of the destination before an upload starts', () => {
  const error = new ConfigError(
    'caFile /x does not exist. Set it to a PEM file that the user of this process can read.',
  );
  expect(problemOf(error)).toBe(`cannot be used: ${error.message}`);
});

it('an upload that is repeated with --again is checked like a new one', async () => {
  const client = { getHandle: () => ({ describe: async () => ({ status: 'COMPLETED' }) }) };
  const check = (again: boolean) =>
    checkDestination(
      { name: 'default', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-1', proxy: '::::' },
      { client } as never,
      [{ prepared: { kind: 'upload', workflowId: 'a', again } as never }],
    );
  await expect(check(false)).resolves.toBeUndefined();
  await expect(check(true)).rejects.toThrow('the proxy setting is not a URL');
});
