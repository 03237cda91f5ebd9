import { grpcCause, grpcFault, namespaceMissing, type Explanation } from '../../temporal/grpc-cause.ts';
import { errnoCause, errnoOf } from '../../core/text/errno-cause.ts';

/** Verbs of system calls, for `cannot <verb> <object>`. */
const verbs: Readonly<Record<string, string>> = {
  access: 'read',
  bind: 'listen on',
  chmod: 'change the permissions of',
  connect: 'connect to',
  copyfile: 'copy',
  fsync: 'write',
  ftruncate: 'write',
  getaddrinfo: 'resolve',
  link: 'create',
  listen: 'listen on',
  lstat: 'read',
  mkdir: 'create',
  mkdtemp: 'create a temporary directory',
  open: 'open',
  opendir: 'list',
  read: 'read',
  readlink: 'read',
  realpath: 'read',
  rename: 'rename',
  rm: 'delete',
  rmdir: 'delete',
  scandir: 'list',
  stat: 'read',
  statfs: 'read',
  symlink: 'create',
  unlink: 'delete',
  write: 'write',
};

const fixes: Readonly<Record<string, string>> = {
  EACCES: 'Grant this user access to it',
  EPERM: 'Grant this user access to it',
  EADDRINUSE: 'Choose another port',
  EADDRNOTAVAIL: 'Choose an address of this machine',
  EAGAIN: 'Run the command again later, or raise the limits of this user (ulimit)',
  EDQUOT: 'Free some space',
  EFBIG: 'Raise the limit',
  EMFILE: 'Raise the limit of open files (ulimit -n)',
  ENFILE: 'Close other programs, or raise the limit of open files of this machine',
  ENOMEM: 'Close other programs, or use a machine with more memory',
  ENOSPC: 'Free some space',
  EROFS: 'Choose a path on a file system that can be written',
};

/** Explains an error of the system or of Temporal; undefined for any other error, which is a defect of Longhaul. */
export function explainError(error: unknown): Explanation | undefined {
  const fault = grpcFault(error);
  if (fault) return grpcCause(fault);
  const { name, namespace } = (error ?? {}) as { readonly name?: string; readonly namespace?: string };
  if (name === 'NamespaceNotFoundError') return namespaceMissing(namespace ?? '');
  const code = errnoOf(error);
  return code === undefined ? undefined : explainErrno(code, error as NodeJS.ErrnoException);
}

function explainErrno(code: string, error: NodeJS.ErrnoException): Explanation {
  const {
    syscall = '',
    path,
    address,
    port,
    hostname,
  } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
    readonly hostname?: string;
  };
  if (syscall === 'uv_cwd') {
    return { problem: 'the current directory does not exist (ENOENT)', fix: 'Change to another directory' };
  }
  if (syscall.startsWith('spawn')) {
    return {
      problem: `cannot start ${path ?? 'a program'}: ${errnoCause(code)}`,
      fix: fixOf(code, 'Check the program'),
    };
  }
  const verb = verbs[syscall] ?? 'use';
  const where = address === undefined ? undefined : port === undefined ? address : `${address}:${port}`;
  const object =
    path ?? where ?? hostname ?? (syscall === 'write' || syscall === 'fsync' ? 'a file' : 'a file or an address');
  const problem = `cannot ${verb} ${object}: ${errnoCause(code)}`;
  if (syscall === 'mkdtemp') return { problem, fix: 'Set TMPDIR to a directory that this user can write to' };
  return {
    problem,
    fix: fixOf(code, where === undefined ? 'Check the path' : 'Check the address and that the server is running'),
  };
}

function fixOf(code: string, otherwise: string): string {
  return fixes[code] ?? otherwise;
}
