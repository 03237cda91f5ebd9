import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideS3Server, S3_SERVERS, type S3ServerName } from './install-s3-servers.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

/** A real S3 server on this machine, with one empty bucket. */
export interface S3Server {
  readonly name: S3ServerName;
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: S3Key;
  /** Sets the keys that the server accepts in addition to `credentials`. Only for versitygw. */
  readonly allow: (keys: readonly S3Key[]) => Promise<void>;
}

export interface S3Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3ServerChoice {
  readonly name: S3ServerName;
  /** Why it can't be had here; undefined where it can. */
  readonly skipped: string | undefined;
}

const BUCKET = 'training-data';
const credentials = { accessKeyId: 'longhaul-test', secretAccessKey: 'longhaul-test-secret-0451' };

/** `versitygw` keeps to the letter (206, 412); `rclone` answers ranges with 200 and ignores `If-Match`. */
const launchers: Readonly<Record<S3ServerName, (port: number, directory: string) => readonly string[]>> = {
  versitygw: (port, directory) => {
    const { accessKeyId, secretAccessKey } = credentials;
    const gateway = ['--port', `127.0.0.1:${port}`, '--access', accessKeyId, '--secret', secretAccessKey];
    // Not every file system for temporary files keeps extended attributes, which are its way without a sidecar.
    const store = ['posix', '--sidecar', join(directory, 'meta'), join(directory, 'data')];
    const accounts = ['--iam-dir', join(directory, 'accounts'), '--iam-cache-disable'];
    return [...gateway, ...accounts, '--keep-alive', '--quiet', ...store];
  },
  rclone: (port, directory) => {
    const login = ['--auth-key', `${credentials.accessKeyId},${credentials.secretAccessKey}`];
    const address = ['--addr', `127.0.0.1:${port}`, '--config', join(directory, 'rclone.conf')];
    return ['serve', 's3', ...address, ...login, join(directory, 'data')];
  },
};

/** The servers to test with, for `describe.each`: the test of an unavailable one is skipped with a reason. */
export function s3ServerChoices(): Promise<readonly S3ServerChoice[]> {
  return Promise.all(
    S3_SERVERS.map(async (name) => {
      const skipped = await provideS3Server(name).then(
        () => undefined,
        (error: Error) => error.message,
      );
      return { name, skipped };
    }),
  );
}

/** Runs `body` with a separate server, in a temporary directory, on a free port. */
export async function withS3Server<T>(name: S3ServerName, body: (server: S3Server) => Promise<T>): Promise<T> {
  const executable = await provideS3Server(name);
  const directory = await mkdtemp(join(tmpdir(), `longhaul-${name}-`));
  await mkdir(join(directory, 'data', BUCKET), { recursive: true });
  for (const folder of ['meta', 'accounts']) await mkdir(join(directory, folder));
  const port = await freePort();
  const child = spawn(executable, launchers[name](port, directory), { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  try {
    const endpoint = `http://127.0.0.1:${port}`;
    await answering(child, endpoint);
    const allow = (keys: readonly S3Key[]) => writeAccounts(join(directory, 'accounts', 'users.json'), keys);
    return await body({ name, endpoint, bucket: BUCKET, credentials, allow });
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  }
}

/** The file that versitygw looks a key up in, at every request. */
async function writeAccounts(path: string, keys: readonly S3Key[]): Promise<void> {
  const accounts = keys.map(({ accessKeyId: access, secretAccessKey: secret }) => [
    access,
    { access, secret, role: 'admin' },
  ]);
  await writeFile(`${path}.new`, JSON.stringify({ accessAccounts: Object.fromEntries(accounts) }));
  await rename(`${path}.new`, path);
}

async function answering(child: ChildProcess, endpoint: string): Promise<void> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the S3 server ended with status ${child.exitCode}: ${said}`);
    return fetch(endpoint).then(
      // Any answer will do: without a signature it is a refusal.
      async (answer) => {
        await answer.arrayBuffer();
        return true;
      },
      () => false,
    );
  }, 'the S3 server to answer');
}
