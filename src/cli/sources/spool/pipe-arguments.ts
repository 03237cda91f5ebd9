import { constants, createReadStream, fstatSync, open, type Stats } from 'node:fs';
import { readlink, realpath, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { attempt } from '../../../core/objects.ts';
import { nameKey } from '../../../core/text/name-form.ts';
import { ConfigError, SourceMissingError, SourceUnusableError } from '../../../errors.ts';
import { descriptorOf, isReadableDescriptor, isWrittenHere } from '../../../sources/file/paths.ts';
import { FilePermission } from '../../../sources/file/permission.ts';
import { mapFileError, specialKind, specialFileError } from '../../../sources/file/errors.ts';
import { isSourceUrl } from '../../../sources/source-of-url.ts';
import type { FileSettings } from '../../../sources/source-settings.ts';
import { isReadable } from '../source-settings.ts';
import type { SpoolWords } from './copy.ts';

/** An argument that can be read only once: standard input, a file descriptor of a shell, or a named pipe. */
export interface PipeArgument {
  readonly words: SpoolWords;
  /** The File's name; undefined for a file descriptor. */
  readonly filename: string | undefined;
  /** Opens it without waiting for a program that writes. @param io with the standard input of the command */
  readonly open: (io: { readonly stdin: Readable }) => Promise<Readable>;
}

interface FoundPipe extends PipeArgument {
  /** Device and inode, because a pipe can have several names. */
  readonly identity: string;
}

/**
 * Finds the arguments that can be read only once, and opens none.
 *
 * @throws ConfigError if two arguments are the same pipe
 * @throws SourceMissingError, SourceForbiddenError, SourceUnusableError for a pipe that cannot be read, and for sockets and
 *   devices
 */
export async function findPipes(
  files: readonly string[],
  settings: FileSettings,
): Promise<ReadonlyMap<string, PipeArgument>> {
  const pipes = new Map<string, FoundPipe>();
  for (const file of files) {
    const pipe = await findPipe(file, settings);
    if (!pipe) continue;
    const [earlier] = [...pipes].find(([, { identity }]) => identity === pipe.identity) ?? [];
    if (earlier !== undefined) {
      const names = earlier === file ? `${file} is named twice` : `${earlier} and ${file} are the same pipe`;
      throw new ConfigError(`${names}, and a pipe can be read only once. Remove one of them.`);
    }
    pipes.set(file, pipe);
  }
  return pipes;
}

async function findPipe(file: string, settings: FileSettings): Promise<FoundPipe | undefined> {
  if (file === '-') return inputPipe({ what: 'standard input', argument: '"-"' });
  if (isSourceUrl(file)) return undefined;
  const fd = await descriptorOf(file);
  if (fd !== undefined) return findDescriptor(file, fd);
  const stats = await stat(file).catch(() => undefined);
  if (!stats || specialKind(stats) === undefined) return undefined;
  if (!stats.isFIFO()) throw specialFileError(file, stats);
  await new FilePermission(settings).assertPath(await realpath(file));
  if (!(await isReadable(file))) {
    throw new SourceMissingError(`cannot read ${file}: permission denied. Grant this user read access to it.`);
  }
  await assertEnds(file, await realpath(file));
  return {
    words: { what: file, argument: file },
    filename: nameKey(basename(file)),
    identity: identityOf(stats),
    open: async () => {
      // Without O_NONBLOCK, opening waits for a writer in a thread that cannot be interrupted.
      const opening = promisify(open)(file, constants.O_RDONLY | constants.O_NONBLOCK);
      return socketOf(await mapFileError(file, opening));
    },
  };
}

async function findDescriptor(file: string, fd: number): Promise<FoundPipe> {
  if (fd === 0) return inputPipe({ what: `standard input (${file})`, argument: file });
  if (fd <= 2)
    throw new SourceUnusableError(`${file} is an output of this command. Use a file or a pipe that can be read.`);
  const stats = attempt(() => fstatSync(fd));
  if (!stats) {
    throw new SourceMissingError(
      `${file} does not exist: file descriptor ${fd} is not open in this process. Programs such as sudo close it. ` +
        'Pipe the content into "longhaul upload - --filename NAME".',
    );
  }
  if (!stats.isFIFO() && !stats.isSocket() && !stats.isFile()) {
    throw specialFileError(file, stats);
  }
  if (!(await isReadableDescriptor(fd))) {
    throw new SourceUnusableError(`${file} is open only for writing. Use a pipe that can be read, such as <(COMMAND).`);
  }
  if (stats.isFIFO()) await assertEnds(file, await readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return {
    words: { what: file, argument: file },
    filename: undefined,
    identity: identityOf(stats),
    open: async () => (stats.isFile() ? createReadStream('', { fd }) : socketOf(fd)),
  };
}

function inputPipe(words: SpoolWords): FoundPipe {
  const stats = attempt(() => fstatSync(0));
  if (stats?.isDirectory())
    throw new SourceUnusableError(`${words.what} is a directory. Pass its path as an argument.`);
  return {
    words,
    filename: undefined,
    identity: stats ? identityOf(stats) : 'standard input',
    // Node.js reads nothing from a block device that is standard input.
    open: async (io) => (stats?.isBlockDevice() ? createReadStream('', { fd: 0 }) : io.stdin),
  };
}

/** Reads without a thread, which a silent pipe would block. */
function socketOf(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: false });
}

async function assertEnds(file: string, link: string): Promise<void> {
  if (!(await isWrittenHere(link))) return;
  throw new SourceUnusableError(
    `${file} is also open for writing in this process, so that it never ends. Close that descriptor, as with 3>&-.`,
  );
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev} ${ino}`;
}
