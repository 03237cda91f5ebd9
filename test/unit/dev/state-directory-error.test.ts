import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startError, stateDirectoryError } from '../../../src/dev/server/errors.ts';
import { writeServerRecord } from '../../../src/dev/server/state-files.ts';
import { withTempDir } from '../../support/temp-dir.ts';

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

it.each([
  ['', 'it exited (1). Try again. Its log /state/temporal.log is empty.'],
  [
    'Error: no port\n\npanic: port\n\ngoroutine 1 gp=0x1 m=0 [running]:\nmain.main()',
    'it exited (1). Fix the error in its log /state/temporal.log, then try again. Its last lines: Error: no port · panic: port',
  ],
  [
    "Error: can't set frontend port 7: listen tcp 127.0.0.1:7: bind: address already in use",
    'another program uses its port (127.0.0.1:7). Stop that program, then try again.',
  ],
  [
    'Error: unable to create SQLite admin DB: database disk image is malformed (11)',
    'the Temporal database is damaged (/state). Restore temporal.db and temporal.db-wal from a backup, or set ' +
      'LONGHAUL_STATE_DIR to another directory.',
  ],
])('a failed start with the log %j has a cause and a fix', async (tail, line) => {
  const error = await startError('/state', '1.9.1', 'it exited (1)', tail);
  expect(error).toBe(`the Temporal server did not start: ${line}`);
});

it('a record that cannot be written leaves no other file', () =>
  withTempDir(async (stateDir) => {
    await mkdir(join(stateDir, 'server.json'));
    const record = { port: 1, uiPort: 2, address: '', uiUrl: '', pid: 1, serverPid: 1, temporalCli: '1.9.1' };
    expect(() => writeServerRecord(stateDir, record)).toThrow(/EISDIR/);
    expect(await readdir(stateDir)).toEqual(['server.json']);
  }));
