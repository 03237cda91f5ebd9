import { EnvHttpProxyAgent } from 'undici';
import { cacheDirectory } from './cache-directory.ts';
import { resolveTemporalCli, type TemporalCli } from '../../src/dev/temporal-cli/temporal-cli.ts';

/** Each resolution runs the CLI to learn its version. */
let resolved: Promise<TemporalCli> | undefined;

/** The CLI that a user of this machine would get, from the same cache, so that it's fetched only once. */
export function temporalCliForTests(): Promise<TemporalCli> {
  resolved ??= resolveTemporalCli({
    explicitPath: process.env['LONGHAUL_TEMPORAL_CLI'],
    pathEnv: process.env['PATH'],
    cacheDir: cacheDirectory,
    dispatcher: new EnvHttpProxyAgent(),
  });
  return resolved;
}
