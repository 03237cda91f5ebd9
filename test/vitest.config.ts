import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { keepTemporaryFilesInMemory } from './support/memory-directory.ts';

keepTemporaryFilesInMemory();

const root = fileURLToPath(new URL('..', import.meta.url));

/** Integration, replay and chaos tests exercise the built package, as its users do: `npm test` builds first. */
const builtPackage = {
  'longhaul/worker': `${root}dist/src/worker/index.js`,
  'longhaul/workflows': `${root}dist/workflows/index.js`,
  'longhaul/activities': `${root}dist/src/worker/activities.js`,
  'longhaul/nexus': `${root}dist/src/contracts/nexus.js`,
  'longhaul/errors': `${root}dist/src/all-errors.js`,
  'longhaul/types': `${root}dist/src/types.js`,
  longhaul: `${root}dist/src/index.js`,
};

/** For projects with Temporal's workers. */
const lighterSdk = 'test/support/lighter-sdk.ts';
const hashInProcess = 'test/support/hash-in-process.ts';
const temporalServer = 'test/support/temporal-server.ts';

/**
 * Options of V8 that save a quarter of the CPU time of these processes. The first collections of a heap that grows from 0
 * find little to free. Tests with servers run little code for long enough to be worth an optimization, and undici's parser
 * (WebAssembly) is not faster with one.
 */
const lessWork = ['--wasm-tiering-budget=1000000000', '--initial-old-space-size=1024', '--min-semi-space-size=16'];

const isInProcess = (name: string) => ['unit', 'replay', 'simulation'].includes(name);

const project = (
  name: string,
  testTimeoutMs: number,
  globalSetup: string[] = [],
  setupFiles: string[] = [],
  folders: readonly string[] = [name],
) => ({
  root,
  resolve: { alias: builtPackage },
  test: {
    name,
    globalSetup,
    setupFiles,
    // Workers in the process of the tests run workflows in its own thread; each thread takes 0.3 s of CPU time to start.
    env: { TEMPORAL_DEBUG: '1' },
    include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
    testTimeout: testTimeoutMs,
    hookTimeout: testTimeoutMs,
    pool: 'forks' as const,
    isolate: false,
    execArgv: isInProcess(name)
      ? ['--single-threaded-gc', '--max-semi-space-size=32', ...lessWork]
      : ['--interrupt-budget=500000', ...lessWork],
    // Node.js loads the built package without a transformation.
    server: { deps: { external: [/\/dist\//] } },
  },
});

export default defineConfig({
  root,
  test: {
    // Most of the time, tests with servers wait, so more of them run than there are cores. `npm test` runs the others in a
    // second process at the same time.
    maxWorkers: 4,
    projects: [
      project('unit', 30_000),
      // One project shares its processes and its Temporal server.
      project('integration', 120_000, [temporalServer], [lighterSdk, hashInProcess], ['integration', 'chaos']),
      project('replay', 60_000, [], [lighterSdk]),
      project('simulation', 60_000),
      // Not a test: `npm run record-histories` makes the replay tests' histories.
      project('record', 120_000, [temporalServer]),
    ],
  },
});
