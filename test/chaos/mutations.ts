/**
 * `npm run chaos-mutations`: takes one safeguard after the other out of a copy of the project, and expects the short
 * chaos suite to fail on that copy. A suite that holds without a safeguard would not notice when it is lost.
 */
import { execFile } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withTempDir } from '../support/temp-dir.ts';
import { mutations, type Mutation } from './mutation-list.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const notCopied = new Set(['node_modules', 'dist', '.git']);

/** The names of the runs that failed; none when the suite held. */
async function failuresOf({ file, from, to }: Mutation): Promise<string[]> {
  return withTempDir(async (directory) => {
    const copy = join(directory, 'longhaul');
    await cp(root, copy, { recursive: true, filter: (source) => !notCopied.has(basename(source)) });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const source = await readFile(join(copy, file), 'utf8');
    if (!source.includes(from)) throw new Error(`${file} no longer has: ${from}`);
    await writeFile(join(copy, file), source.replace(from, to));
    // It emits all the same when a mutation leaves something unused, which is all that it can complain about.
    await run('npx', ['tsc', '-p', 'src/tsconfig.build.json'], { cwd: copy }).catch(() => {});
    await run('node', ['dist/src/worker/build-workflow-bundle.js'], { cwd: copy });
    const vitest = ['vitest', 'run', '--config', 'test/vitest.config.ts', '--project', 'chaos', '--reporter', 'json'];
    const { stdout } = await run('npx', vitest, { cwd: copy, maxBuffer: 256 * 1024 ** 2 }).catch(
      (error: unknown) => error as { stdout: string },
    );
    const report = JSON.parse(stdout.slice(stdout.indexOf('{"num'))) as Report;
    const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    if (tests.length === 0) throw new Error('no test ran');
    return tests.filter(({ status }) => status === 'failed').map(({ title }) => title);
  });
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

for (const mutation of mutations) {
  const failures = await failuresOf(mutation);
  if (failures.length === 0) process.exitCode = 1;
  const verdict = failures.length === 0 ? 'NOT NOTICED' : `noticed: ${failures.join('; ')}`;
  console.log(`without "${mutation.safeguard}": ${verdict}`);
}
