import { execFile } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withTempDir } from './temp-dir.ts';

/** A change that removes a safeguard from a copy of the project. */
export interface Mutation {
  /** What the change removes, as a noun phrase. */
  readonly safeguard: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const notCopied = new Set(['node_modules', 'dist', '.git']);

/** Builds a copy of the project without a safeguard, and passes its directory. */
export async function withMutant<T>({ file, from, to }: Mutation, use: (copy: string) => Promise<T>): Promise<T> {
  return withTempDir(async (directory) => {
    const copy = join(directory, 'longhaul');
    await cp(root, copy, { recursive: true, filter: (source) => !notCopied.has(basename(source)) });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const source = await readFile(join(copy, file), 'utf8');
    if (!source.includes(from)) throw new Error(`${file} no longer has: ${from}`);
    await writeFile(join(copy, file), source.replace(from, to));
    // It also emits if it reports an unused name, which is the only error that a mutation causes.
    await run('npx', ['tsc', '-p', 'src/tsconfig.build.json'], { cwd: copy }).catch(() => {});
    await run('node', ['dist/src/build/bundles.js'], { cwd: copy });
    return use(copy);
  });
}

/** Runs a program in the copy. @returns its output, also if it failed */
export async function runIn(copy: string, command: string, args: readonly string[]): Promise<string> {
  const options = { cwd: copy, maxBuffer: 256 * 1024 ** 2 };
  const { stdout } = await run(command, args, options).catch((error: unknown) => error as { stdout: string });
  return stdout;
}
