import { expect, it } from 'vitest';
import { stateDirectoryError } from '../../../src/dev/server/errors.ts';

const failed = (code: string, syscall: string) => Object.assign(new Error(code), { code, errno: -1, syscall });
const textOf = (error: Error) => (stateDirectoryError('/state', error) as Error).message;

it('an error names the state directory only if the directory causes it', () => {
  expect(textOf(failed('EACCES', 'mkdir'))).toMatch(
    /^cannot use the state directory \/state: permission denied \(EACCES\)/,
  );
  expect(textOf(failed('EMFILE', 'open'))).toBe(
    'cannot run the embedded Temporal server: too many open files in this process (EMFILE). ' +
      'Raise the limit of open files (ulimit -n).',
  );
  const spawned = failed('EACCES', 'spawn /usr/bin/node');
  expect(stateDirectoryError('/state', spawned)).toBe(spawned);
});
