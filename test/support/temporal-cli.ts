import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { EnvHttpProxyAgent } from 'undici';
import { cacheDirectory } from './cache-directory.ts';
import { resolveTemporalCli, type TemporalCli } from '../../src/dev/temporal-cli/temporal-cli.ts';

/** The name of a variable with the path of `lighterCli`. */
export const LIGHTER_CLI = 'LIGHTER_TEMPORAL_CLI';

/** Each resolution runs the CLI to learn its version. */
let resolved: Promise<TemporalCli> | undefined;

/** The CLI that a user of this machine would get, from the same cache, so that it's fetched only once. */
export function temporalCliForTests(): Promise<TemporalCli> {
  resolved ??= process.env[LIGHTER_CLI] ? resolveCli(process.env[LIGHTER_CLI]) : namedTemporalCli();
  return resolved;
}

/** The same one, with a path that is also valid in containers. */
export function namedTemporalCli(): Promise<TemporalCli> {
  return resolveCli(process.env['LONGHAUL_TEMPORAL_CLI']);
}

function resolveCli(explicitPath: string | undefined): Promise<TemporalCli> {
  return resolveTemporalCli({
    explicitPath,
    pathEnv: process.env['PATH'],
    cacheDir: cacheDirectory,
    dispatcher: new EnvHttpProxyAgent(),
  });
}

/**
 * Returns a path of the same program, which is valid while this process runs. At each start, Temporal computes the MD5 of the
 * file with its name, 150 MB, which is half of the CPU time of a start. On Linux, this program is a copy without a name, and
 * the file with its former name is empty.
 */
export function lighterCli(path: string, copy: string): string {
  if (process.platform !== 'linux') return path;
  let descriptor: number | undefined;
  try {
    copyFileSync(path, copy);
    descriptor = openSync(copy, 'r');
    rmSync(copy);
    writeFileSync(copy, '');
    const lighter = `/proc/${process.pid}/fd/${descriptor}`;
    // The directory can forbid programs.
    if (spawnSync(lighter, ['--version']).status === 0) return lighter;
  } catch {
    // The directory can be too small.
  }
  // The copy uses 150 MB until it has no descriptor either.
  if (descriptor !== undefined) closeSync(descriptor);
  rmSync(copy, { force: true });
  return path;
}
