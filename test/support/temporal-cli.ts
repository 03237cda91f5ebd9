import { cacheDirectory } from './cache-directory.ts';
import { resolveTemporalCli, type TemporalCli } from '../../src/dev/temporal-cli/temporal-cli.ts';

/** The CLI that a user of this machine would get, from the same cache, so that it's fetched only once. */
export async function temporalCliForTests(): Promise<TemporalCli> {
  return resolveTemporalCli({
    explicitPath: process.env['LONGHAUL_TEMPORAL_CLI'],
    pathEnv: process.env['PATH'],
    cacheDir: cacheDirectory,
  });
}
