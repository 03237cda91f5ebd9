import type { BigIntStats } from 'node:fs';
import { readlink, realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SourceForbiddenError } from '../../errors.ts';
import { isInOneOf, realPlace } from './paths.ts';
import { notPermitted, type FileSettings } from '../source-settings.ts';
import { protectionOf } from './protected-paths.ts';

export interface FileGuard {
  /** If it returns false, the path is not protected. Otherwise `isProtected` decides. */
  readonly mayBeProtected: (real: string) => boolean;
  readonly isSecret: (stats: BigIntStats) => boolean;
}

/** Decides by their real paths which files callers can name, so that neither a link nor `..` leads out. */
export class FilePermission {
  readonly #settings: FileSettings;

  constructor(settings: FileSettings = {}) {
    this.#settings = settings;
  }

  /**
   * Checks a path before anything is opened.
   *
   * @throws SourceForbiddenError, SourceNotNamedError
   */
  async assertPath(path: string): Promise<void> {
    await this.#assertReal(path, await realPlace(path));
  }

  /**
   * Checks an open file, because a link can change after the check of the path.
   *
   * @throws SourceForbiddenError, SourceNotNamedError
   */
  async assertOpened(path: string, fd: number, stats: BigIntStats): Promise<void> {
    await this.#assertReal(path, await openedPath(path, fd, stats));
    if (!(await this.isSecret(stats))) return;
    throw new SourceForbiddenError({ name: path, reason: 'it contains secrets, such as keys. Choose another file.' });
  }

  /** Whether a real path can be shown in a list. */
  async permits(real: string): Promise<boolean> {
    if (await this.isProtected(real)) return false;
    return this.#isListed(real);
  }

  /** Whether no list can permit a real path: a file with secrets, Longhaul's state, `/proc`. */
  async isProtected(real: string): Promise<boolean> {
    const { files, isInFolders, copies } = await protectionOf(this.#settings.protect);
    if (files.has(real)) return true;
    if (!isInFolders(real)) return false;
    return !(isInOneOf(real, copies) && (await this.#isNamedCopy(real, copies)));
  }

  /** The same for hard links. */
  async isSecret({ dev, ino }: BigIntStats): Promise<boolean> {
    return (await protectionOf(this.#settings.protect)).inodes.has(`${dev} ${ino}`);
  }

  /** The protection of now, for a few files of a directory: a promise for each file costs more than its status. */
  async guard(directory: string): Promise<FileGuard> {
    const { files, folders, isInFolders, inodes } = await protectionOf(this.#settings.protect);
    const isWhole = isInFolders(directory);
    return {
      mayBeProtected: (real) => isWhole || files.has(real) || folders.includes(real),
      isSecret: ({ dev, ino }) => inodes.size > 0 && inodes.has(`${dev} ${ino}`),
    };
  }

  async #assertReal(path: string, real: string): Promise<void> {
    if (await this.isProtected(real)) {
      throw new SourceForbiddenError({
        name: path,
        reason: 'it belongs to the system, to Longhaul or to its secrets. Choose another file.',
      });
    }
    if (await this.#isListed(real)) return;
    throw notPermitted(`the file ${path}`, '--root', 'DIR', this.#settings);
  }

  async #isListed(real: string): Promise<boolean> {
    const { roots } = this.#settings;
    if (!roots || roots.includes('/')) return true;
    if (isInOneOf(real, await Promise.all(roots.map((root) => realPlace(resolve(root)))))) return true;
    return isInOneOf(real, await this.#named());
  }

  /** A copy of standard input is in the state directory, and only the command that created it can read it. */
  async #isNamedCopy(real: string, copies: readonly string[]): Promise<boolean> {
    const ofCopies = this.#settings.roots?.filter((root) => isInOneOf(root, copies));
    return !ofCopies || isInOneOf(real, ofCopies) || (await this.#named()).includes(real);
  }

  async #named(): Promise<readonly string[]> {
    const { named, protect } = this.#settings;
    if (!named) return [];
    const { readNamedSources } = await import('../named-sources.ts');
    const { paths } = await readNamedSources(named.directory);
    if (!named.copiesOnly) return paths;
    const { copies } = await protectionOf(protect);
    return paths.filter((path) => isInOneOf(path, copies));
  }
}

/** The real path of an open file. */
async function openedPath(path: string, fd: number, opened: BigIntStats): Promise<string> {
  // Linux shows the file of a descriptor.
  const told = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined);
  if (told !== undefined) return told;
  const real = await realpath(path);
  const { dev, ino } = await stat(real, { bigint: true });
  if (dev === opened.dev && ino === opened.ino) return real;
  throw new SourceForbiddenError(`cannot read ${path}: it was replaced while it was opened. Upload it again.`);
}
