import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { packOnce } from './pack-once.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** What a project has in addition to the package: `@types/node`, and `prom-client` by its own dependency. */
const ofTheProject = ['@types/node'];

/**
 * Makes a project in `directory` that has the packed package, as `npm install longhaul-….tgz` does. Its dependencies are
 * links to those of the repository: only those that the package declares can be imported.
 */
export async function installPackedPackage(directory: string): Promise<void> {
  const modules = join(directory, 'node_modules');
  await mkdir(join(modules, 'longhaul'), { recursive: true });
  await run('tar', [
    '-xzf',
    await packOnce(inject('embeddedStateDir')),
    '--strip-components=1',
    '-C',
    join(modules, 'longhaul'),
  ]);

  const manifest = JSON.parse(await readFile(join(modules, 'longhaul', 'package.json'), 'utf8')) as Manifest;
  const names = [...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), ...ofTheProject];
  for (const name of names) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(repository, 'node_modules', name), join(modules, name));
  }
  await writeFile(join(directory, 'package.json'), JSON.stringify({ name: 'a-project', type: 'module' }));
}

/** Compiles the project with all strict options, and with `skipLibCheck` as in docs/services.md. @returns the errors of the compiler */
export async function compileProject(directory: string, files: readonly string[]): Promise<string[]> {
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    types: ['node'],
    rootDir: '.',
    outDir: 'out',
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  try {
    await run(join(repository, 'node_modules/.bin/tsc'), ['--pretty', 'false'], { cwd: directory });
    return [];
  } catch (error) {
    return ((error as { readonly stdout?: string }).stdout || String(error)).trim().split('\n');
  }
}
