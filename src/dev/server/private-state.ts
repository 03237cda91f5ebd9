import { chmod, readdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stats } from 'node:fs';
import { ifExists } from '../../core/text/errno-cause.ts';
import { ConfigError } from '../../errors.ts';
import { makeDirectory } from '../../make-directory.ts';
import { stateDirectoryError } from './errors.ts';

/** Names of Longhaul's entries in the state directory. */
const own = /^(temporal(-ports)?\..+|server\..+|leases|lock|spool|named|host\.json|local-api|seal-key|.+\.tmp)$/;
/** Names that file systems and desktops add. */
const harmless = /^(lost\+found|\.DS_Store|\.nfs.*)$/;

const OTHERS = 0o077;
/** Directories that other programs share, even if they are empty. */
const temporary = ['/tmp', '/var/tmp', '/dev/shm'];

/**
 * Creates the state directory if it is missing, and removes the access of other users to it and its entries: it contains
 * the histories of all uploads, copies of files and a secret. An earlier version or a permissive umask can have created it.
 *
 * @returns its real path
 * @throws ConfigError if it cannot be used, belongs to another user, or is shared with other programs
 */
export async function openPrivateState(path: string): Promise<string> {
  try {
    makeDirectory(path);
    const stateDir = await realpath(path);
    const stats = await stat(stateDir);
    assertOwner(stateDir, stats);
    const names = await readdir(stateDir);
    if (stats.mode & OTHERS) {
      const problem = `the state directory ${stateDir} is open to other users, and`;
      const fix = 'Set LONGHAUL_STATE_DIR to an empty directory';
      if ((await Promise.all([...temporary, tmpdir()].map(realOf))).includes(stateDir))
        throw new ConfigError(`${problem} all users share it. ${fix}.`);
      const foreign = names.find((name) => !own.test(name) && !harmless.test(name));
      if (foreign !== undefined) {
        throw new ConfigError(
          `${problem} it contains other files, such as ${foreign}. ${fix}, or run "chmod 700" on this one.`,
        );
      }
    }
    await tighten(stateDir, stats);
    await tightenEntries(
      stateDir,
      names.filter((name) => own.test(name)),
    );
    const spool = join(stateDir, 'spool');
    if (names.includes('spool')) {
      const copies = await readdir(spool);
      await tightenEntries(spool, copies);
    }
    return stateDir;
  } catch (error) {
    throw stateDirectoryError(path, error);
  }
}

function realOf(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

async function tightenEntries(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(directory, name);
    // Other commands create and delete temporary files.
    const stats = await ifExists(stat(path));
    if (!stats) continue;
    assertOwner(path, stats);
    await tighten(path, stats);
  }
}

function assertOwner(path: string, { uid }: Stats): void {
  const ownUid = process.getuid?.();
  if (ownUid === undefined || uid === ownUid) return;
  throw new ConfigError(
    `${path} belongs to the user with the ID ${uid}, and this process runs as ${ownUid}. ` +
      'Run the command as that user, or set LONGHAUL_STATE_DIR to a directory of this user.',
  );
}

async function tighten(path: string, stats: Stats): Promise<void> {
  if (process.getuid === undefined || (stats.mode & OTHERS) === 0) return;
  await ifExists(chmod(path, stats.mode & ~OTHERS & 0o7777));
}
