import { LonghaulError, SourceMissingError, SourceReadError, SourceUnusableError } from '../../errors.ts';

/** What somebody may mend while an upload waits: a mount that is gone, permissions, links. */
const missing: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist on this host; check the path',
  ENOTDIR: 'does not exist: a part of its path is no directory; check the path',
  EACCES: 'is not readable for this user; change its permissions or those of its directories',
  EPERM: 'is not readable for this user; change its permissions or those of its directories',
  ELOOP: 'leads through links that go round in a circle; repair the links',
};

/** What stays as it is. */
const unusable: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'is longer than a path can be',
  EISDIR: 'is a directory; name a file, or pack the directory into one',
  ENXIO: 'is a socket or a device, not a file. Save its content in a file',
};

/** Of this process or machine, whatever the file. */
const overload: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'];

/**
 * Turns the errors of `node:fs` into ours. What isn't known to be final (EIO, ESTALE, EMFILE …) may work later.
 */
export async function mapFileError<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof LonghaulError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (missing[code]) throw new SourceMissingError(`${path} ${missing[code]}`, { cause: error });
    const reason = unusable[code];
    if (reason) throw new SourceUnusableError(`${path} ${reason}`, { cause: error });
    const isOverload = overload.includes(code);
    throw new SourceReadError(`${path} can't be read at the moment (${code || String(error)})`, {
      cause: error,
      isOverload,
    });
  }
}
