import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { endCliProcesses, runCli, runCliProcess } from '../support/cli.ts';
import { canMount, withMount } from '../support/mount.ts';
import { randomFile } from '../support/random-file.ts';
import { KEY, withSystem } from '../support/system.ts';
import { withTempDir } from '../support/temp-dir.ts';

afterAll(endCliProcesses);

/** gRPC reads `no_proxy` only in lower case, so that NO_PROXY exempts only the API. */
const deadProxy = Object.fromEntries(
  ['http_proxy', 'https_proxy', 'grpc_proxy', 'all_proxy']
    .flatMap((name) => [name, name.toUpperCase()])
    .map((name) => [name, 'http://127.0.0.1:1']),
);

async function expectLine(
  args: string[],
  environment: Record<string, string>,
  line: RegExp,
  run = runCli,
): Promise<void> {
  const { stdout, stderr, code } = await run(args, environment);
  expect(stderr).toMatch(line);
  expect(stderr.trim().split('\n'), stderr).toHaveLength(1);
  expect(stderr).not.toContain('unexpected error');
  expect(stdout).toBe('');
  expect([1, 2]).toContain(code);
}

describe('a command prints one line with the cause and the fix', () => {
  it.skipIf(!canMount())('for a demo without space for its files', () =>
    withTempDir((directory) =>
      withMount(join(directory, 'small'), 'size=100m', () =>
        expectLine(
          ['demo', '--size', '64MiB'],
          { TMPDIR: join(directory, 'small') },
          /^longhaul: the demo needs 192 MiB in .*small, and 100 MiB are free\. Free some space, set TMPDIR/,
          runCliProcess,
        ),
      ),
    ),
  );

  it('for a Temporal server that it cannot use', async () => {
    const address = { TEMPORAL_ADDRESS: inject('temporalAddress') };
    const missing = { ...address, TEMPORAL_NAMESPACE: 'no-such', OPENAI_API_KEY: KEY };
    const namespace =
      /^longhaul: namespace "no-such" not found at .*\. Set TEMPORAL_NAMESPACE to an existing namespace/;
    await Promise.all([
      expectLine(['list'], missing, namespace),
      expectLine(['worker'], missing, namespace),
      expectLine(['pause', 'no-such-id'], missing, namespace),
      expectLine(['list'], { ...address, TEMPORAL_TLS: 'true' }, /does not use TLS, .*Set TEMPORAL_TLS=false/),
      expectLine(
        ['list'],
        { TEMPORAL_CONFIG_FILE: '/no/such.toml' },
        /cannot read \/no\/such\.toml, which TEMPORAL_CON/,
      ),
    ]);
  });

  it('for a state directory, a config file or a TMPDIR that it cannot use', () =>
    withTempDir(async (directory) => {
      const file = join(directory, 'file');
      await writeFile(file, '{"headers": "sk-secret", oops');
      const shared = join(directory, 'shared');
      await mkdir(shared);
      await writeFile(join(shared, 'photo.jpg'), '');
      await chmod(shared, 0o755);
      const state = { LONGHAUL_STATE_DIR: join(directory, 'state') };
      await Promise.all([
        expectLine(
          ['list'],
          { LONGHAUL_STATE_DIR: file },
          /cannot use the state directory .*not a directory \(ENOTDIR\)/,
        ),
        expectLine(['list'], { LONGHAUL_STATE_DIR: shared }, /it contains other files, such as photo\.jpg/),
        expectLine(['list'], { ...state, LONGHAUL_CONFIG: file }, /cannot read .* as JSON(?!.*sk-secret)/),
        expectLine(
          ['local-api'],
          { TMPDIR: file },
          /cannot create a temporary directory .*\. Set TMPDIR/,
          runCliProcess,
        ),
      ]);
    }));

  it.skipIf(!canMount())('for a disk that is full or read-only', () =>
    withTempDir(async (directory) => {
      const LONGHAUL_STATE_DIR = join(directory, 'disk');
      const state = { LONGHAUL_STATE_DIR };
      await withMount(LONGHAUL_STATE_DIR, 'size=4k', () =>
        expectLine(['list'], state, /did not start: the disk of the Temporal database is full .*\. Free some space/),
      );
      await withMount(LONGHAUL_STATE_DIR, 'size=400k', () =>
        expectLine(['list'], state, /did not start: the disk of the Temporal database is full .*\. Free some space/),
      );
      await withMount(LONGHAUL_STATE_DIR, 'ro', () =>
        expectLine(
          ['list'],
          { LONGHAUL_STATE_DIR: join(LONGHAUL_STATE_DIR, 'x') },
          /read-only \(EROFS\)\. Set LONGHAUL_ST/,
        ),
      );
    }),
  );
});

it('a command uses the embedded server directly although the environment names a proxy', () =>
  withSystem(async ({ api, directory }) => {
    const file = join(directory, 'small.bin');
    await randomFile(file, 2000);
    const environment = {
      ...deadProxy,
      NO_PROXY: '127.0.0.1',
      LONGHAUL_STATE_DIR: join(directory, 'state'),
      OPENAI_BASE_URL: api.url,
      OPENAI_API_KEY: KEY,
    };
    const { code, stdout, stderr } = await runCliProcess(['upload', file, '--purpose', 'assistants'], environment);
    expect(stderr).not.toContain('proxy');
    expect(stdout).toMatch(/^file-/);
    expect(code).toBe(0);
  }));
