const causes: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EAGAIN: 'the system has no free process or memory',
  EBUSY: 'in use',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a file of that name exists',
  EFBIG: 'the file is larger than the limit (ulimit -f)',
  EHOSTUNREACH: 'the host is unreachable',
  EIO: 'the disk reports an error',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files in this process',
  ENAMETOOLONG: 'the name is too long',
  ENETUNREACH: 'the network is unreachable',
  ENFILE: 'too many open files on this machine',
  ENOENT: 'it does not exist',
  ENOMEM: 'not enough memory',
  ENOSPC: 'no space left on the disk',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTEMPTY: 'the directory is not empty',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the host name cannot be resolved now',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ESTALE: 'the network file system lost the file',
  ETIMEDOUT: 'timed out',
};

/** Fixes of errors of a process or machine, without the period. */
export const machineFixes: Readonly<Record<string, string>> = {
  EAGAIN: 'Run the command again later, or raise the limits of this user (ulimit)',
  EMFILE: 'Raise the limit of open files (ulimit -n)',
  ENFILE: 'Close other programs, or raise the limit of open files of this machine',
  ENOMEM: 'Close other programs, or use a machine with more memory',
};

/** Returns the cause of a system error and its code, such as `permission denied (EACCES)`. */
export function errnoCause(code: string): string {
  const cause = causes[code];
  return cause === undefined ? code : `${cause} (${code})`;
}

/** Returns the code of a system error such as `EACCES`; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as { readonly code?: unknown; readonly errno?: unknown };
  return typeof code === 'string' && (typeof errno === 'number' || code in causes) ? code : undefined;
}

/** Returns the cause of any error: that of a system error as `errnoCause`, else the message. */
export function causeOf(error: unknown): string {
  const code = errnoOf(error);
  if (code !== undefined) return errnoCause(code);
  return error instanceof Error ? error.message : String(error);
}

/** Returns the result of an operation on a path; undefined if the path does not exist. */
export async function ifExists<T>(operation: Promise<T>): Promise<T | undefined> {
  return operation.catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  });
}
