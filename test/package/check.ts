import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packOnce } from '../support/pack-once.ts';

/**
 * Checks the tarball as npm publishes it: its entry points, its size, and what a program that imports it loads. Part of
 * `npm run check`.
 */

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const MiB = 1024 * 1024;

/** Budgets of the tarball and of its files. A larger package needs a reason and a new budget. */
const MAX_PACKED_BYTES = 1.9 * MiB;
const MAX_UNPACKED_BYTES = 7.8 * MiB;

/** Loaded only by code that uses them. */
const late = /^(@aws-sdk|@smithy|@opentelemetry|@temporalio\/interceptors-opentelemetry|prom-client|pino|commander)/;

const entries = [
  'src/index.js',
  'src/worker/index.js',
  'src/worker/activities.js',
  'workflows/index.js',
  'cli/main.js',
];

const problems: string[] = [];
const directory = await mkdtemp(join(tmpdir(), 'longhaul-package-'));
try {
  const tarball = await packOnce(directory);
  await run('tar', ['-xzf', tarball, '-C', directory]);
  const root = join(directory, 'package');

  const tools = [
    runTool('publint', [tarball, '--strict']),
    // Node.js from 20.19 also loads ES modules by `require`.
    runTool('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii', '--exclude-entrypoints', './package.json']),
  ];
  checkSize('tarball', (await stat(tarball)).size, MAX_PACKED_BYTES);
  await checkFiles(root);
  await checkRequire();
  await checkCommand(root);
  for (const entry of entries) await checkImports(join(root, 'dist', entry), root);
  await Promise.all(tools);
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

async function runTool(name: string, args: readonly string[]): Promise<void> {
  try {
    // V8's optimizations take more CPU time than they save.
    const program = ['--interrupt-budget=1000000', join(repository, 'node_modules/.bin', name)];
    await run(process.execPath, [...program, ...args], { cwd: repository });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    problems.push(`${name} reports problems of the package:\n${stdout}${stderr}`);
  }
}

function checkSize(name: string, bytes: number, most: number): void {
  const inMiB = (value: number) => `${(value / MiB).toFixed(2)} MiB`;
  console.log(`${name}: ${inMiB(bytes)} of ${inMiB(most)}`);
  if (bytes > most) problems.push(`the ${name} has ${inMiB(bytes)}, more than its budget of ${inMiB(most)}`);
}

/** `require` rejects modules with a top-level await. */
async function checkRequire(): Promise<void> {
  const paths = entries.filter((entry) => !entry.startsWith('cli')).map((entry) => join(repository, 'dist', entry));
  const program = `for (const path of ${JSON.stringify(paths)}) require(path)`;
  await run(process.execPath, ['--experimental-print-required-tla', '-e', program]).catch((error: unknown) => {
    problems.push(`the package cannot be loaded by require: ${(error as { stderr?: string }).stderr}`);
  });
}

/** Commands without a worker run without any installed package. */
async function checkCommand(root: string): Promise<void> {
  const env = { PATH: process.env['PATH'], TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const message = await run(process.execPath, [join(root, 'dist', 'cli', 'main.js'), 'list'], { env }).then(
    () => 'it succeeded',
    (error: unknown) => String((error as { stderr?: string }).stderr),
  );
  if (!message.startsWith('longhaul: cannot connect to Temporal'))
    problems.push(`"longhaul list" does not run without other packages: ${message}`);
}

/** The sum of sizes, and source maps: one without its sources is unusable to a debugger, and makes bundlers warn. */
async function checkFiles(root: string): Promise<void> {
  let unpackedBytes = 0;
  for (const path of await readdir(root, { recursive: true })) {
    const file = await stat(join(root, path));
    if (!file.isFile()) continue;
    unpackedBytes += file.size;
    if (path.endsWith('.map')) problems.push(`the package contains a source map without its sources: ${path}`);
    if (!path.endsWith('.js')) continue;
    const text = await readFile(join(root, path), 'utf8');
    const reference = /^\/\/# sourceMappingURL=(?!data:)(.*)$/m.exec(text);
    if (reference) problems.push(`${path} refers to a missing source map: ${reference[1]}`);
    const inlined = /^\/\/# sourceMappingURL=data:[^,]*,(.*)$/m.exec(text)?.[1];
    if (inlined === undefined) continue;
    const { sources } = JSON.parse(Buffer.from(inlined, 'base64').toString()) as { sources: readonly string[] };
    const source = sources.find((name) => name.includes(repository));
    if (source !== undefined) problems.push(`stack traces of ${path} name the directory of the build: ${source}`);
  }
  checkSize('unpacked package', unpackedBytes, MAX_UNPACKED_BYTES);
}

/** What `entry` loads before any of its code runs. */
async function checkImports(entry: string, root: string): Promise<void> {
  const loaded = new Set([entry]);
  for (const file of loaded) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text === '') problems.push(`the package does not contain ${relative(root, file)}, which another file imports`);
    for (const [, path = ''] of text.matchAll(/^(?:import|export)\b[^'"();=]*?(?:from\s*)?['"]([^'"]+)['"]/gm)) {
      if (/^\.\.?\//.test(path)) loaded.add(resolve(dirname(file), path));
      else if (late.test(path))
        problems.push(`${relative(root, entry)} loads ${path} at its start, in ${relative(root, file)}`);
    }
  }
}
