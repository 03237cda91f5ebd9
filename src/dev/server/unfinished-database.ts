import { access, rm, writeFile } from 'node:fs/promises';
import { statePaths } from './state-files.ts';

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * The server makes the tables of a new database one after the other, and never the missing ones of a database that is
 * there: a kill in between would spoil the state directory for good. Before a start, this removes a database that no
 * server has ever answered from (so that nobody can have stored anything in it), and marks one that is about to be made.
 */
export async function beginDatabase(stateDir: string): Promise<void> {
  const { database, unfinished } = statePaths(stateDir);
  if (await exists(unfinished)) {
    for (const suffix of ['', '-wal', '-shm']) await rm(`${database}${suffix}`, { force: true });
  }
  if (!(await exists(database))) await writeFile(unfinished, '', { mode: 0o600 });
}

/** Its server answers: from now on the database is kept. */
export async function finishDatabase(stateDir: string): Promise<void> {
  await rm(statePaths(stateDir).unfinished, { force: true });
}
