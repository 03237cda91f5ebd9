import { execFile } from 'node:child_process';
import { accessSync, constants, statSync, type Stats } from 'node:fs';
import { delimiter, join } from 'node:path';
import { childEnvironment } from '../../config/child-environment.ts';
import { isVersionFrom } from '../../core/text/version.ts';
import { fileProblem } from '../../network/watched-files.ts';

/** The first minor release in which `server start-dev --sqlite-pragma` works reliably. Version 1.1.0 ignored it. */
export const OLDEST_TEMPORAL_CLI = '1.2.0';

type CliCheck = { readonly version: string } | { readonly problem: string };

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs `path --version`. A file is accepted as the Temporal CLI only if this succeeds and the version is supported. */
export async function checkTemporalCli(path: string): Promise<CliCheck> {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    return { problem: `${path} ${fileProblem(error)}` };
  }
  if (!stats.isFile()) return { problem: `${path} is not a file` };
  if (!isExecutable(path)) return { problem: `${path} is not executable` };
  const { stdout, failure } = await runCommand(path, ['--version'], { timeoutMs: 10_000 });
  if (failure !== null) return { problem: `${path} --version failed: ${failure}` };
  const version = /^temporal version (\d+\.\d+\.\d+\S*)/m.exec(stdout)?.[1];
  if (version === undefined) return { problem: `${path} --version printed no version of the Temporal CLI` };
  if (!isVersionFrom(version, OLDEST_TEMPORAL_CLI)) {
    return { problem: `${path} has version ${version}, but ${OLDEST_TEMPORAL_CLI} or later is required` };
  }
  return { version };
}

/** Returns all executable files with this name on the PATH, in its order. */
export function findOnPath(name: string, pathEnv: string | undefined): string[] {
  const directories = (pathEnv ?? '').split(delimiter).filter((directory) => directory !== '');
  return directories
    .map((directory) => join(directory, name))
    .filter((path) => isExecutable(path) && statSync(path).isFile());
}

interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** One line with the reason of a failure; null after success. */
  readonly failure: string | null;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  /** @defaultValue a few variables, without keys and proxies */
  readonly env?: NodeJS.ProcessEnv;
}

/** Returns the last line that is not empty, in which most programs print their error, without a period at its end. */
function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim().replace(/\.$/, '') || undefined;
}

/** Runs a program until it exits, without a shell. Never rejects. */
export async function runCommand(
  file: string,
  args: readonly string[],
  { timeoutMs, cwd, env = childEnvironment() }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
    execFile(file, args, { ...limits, cwd, env }, (error, stdout, stderr) => {
      let failure: string | null = null;
      if (error?.killed === true) failure = `did not exit within ${timeoutMs / 1000} s`;
      else if (error !== null && typeof error.code === 'number') {
        failure = lastLine(stderr) ?? lastLine(stdout) ?? `exit status ${error.code}`;
      } else if (error !== null) failure = error.signal ? `killed by ${error.signal}` : error.message;
      resolve({ stdout, stderr, failure });
    });
  });
}
