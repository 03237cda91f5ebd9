import { errnoCause, errnoOf } from '../../core/text/errno-cause.ts';
import { ConfigError } from '../../errors.ts';

const fixes: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space, or set LONGHAUL_STATE_DIR to a directory on another disk',
  EDQUOT: 'Free some space, or set LONGHAUL_STATE_DIR to a directory on another disk',
  EIO: 'Check the disk, or set LONGHAUL_STATE_DIR to a directory on another disk',
  EMFILE: 'Raise the limit of open files (ulimit -n)',
  ENFILE: 'Close other programs, or raise the limit of open files of this machine',
};

/** Returns a system error of the state directory as one line with the fix, and any other error unchanged. */
export function stateDirectoryError(stateDir: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  const fix = fixes[code] ?? 'Set LONGHAUL_STATE_DIR to a directory that this user can write to';
  return new ConfigError(`cannot use the state directory ${stateDir}: ${errnoCause(code)}. ${fix}.`, { cause: error });
}
