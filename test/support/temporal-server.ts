import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { storeHostIdentity, thisHost } from '../../src/config/host-identity.ts';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { LIGHTER_CLI, lighterCli, namedTemporalCli, temporalCliForTests } from './temporal-cli.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A real Temporal server that all test files share. Each uses a separate task queue. */
    temporalAddress: string;
    /** Commands with this state directory and no address of Temporal find the same server as the embedded one. */
    embeddedStateDir: string;
  }
}

/**
 * Go's threads look for work of each other. With one thread, and without collections of garbage up to 1 GiB, Temporal takes
 * a quarter less CPU time.
 */
export const lighterServer = { GOMAXPROCS: '1', GOGC: 'off', GOMEMLIMIT: '1GiB' } as const;

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-test-temporal-'));
  const { path } = await namedTemporalCli();
  Object.assign(process.env, lighterServer, { [LIGHTER_CLI]: lighterCli(path, join(directory, 'temporal')) });
  const stateDir = join(directory, 'state');
  const server = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 });
  // Otherwise the first command would adopt a host name of another test's uploads.
  storeHostIdentity(stateDir, { host: thisHost(), earlier: [] });
  project.provide('temporalAddress', server.address);
  project.provide('embeddedStateDir', stateDir);
  return async () => {
    await server.release();
    await rm(directory, { recursive: true, force: true });
  };
}
