import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
// Within node_modules, so that packages are found from there.
const outDir = join(root, 'node_modules/.cache/longhaul-bench');

/** Compiles the scripts of separate processes, so that the memory and the time of a loader are not measured. */
export async function compileChildren(): Promise<void> {
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'test/bench')]);
  // The compiled code finds its version in the package that it is in.
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, string>;
  const manifest = { name, version, type: 'module', exports: { './package.json': './package.json' } };
  await writeFile(join(outDir, 'package.json'), JSON.stringify(manifest));
}

/** Path of a compiled script of `children`, such as `sink.js`. */
export function childScript(name: string): string {
  return join(outDir, 'test/bench/children', name);
}
