import { execFile } from 'node:child_process';
import { childEnvironment } from '../../config/child-environment.ts';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** One line with the reason of a failure; null after success. */
  readonly failure: string | null;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string;
  /** @defaultValue a few variables, without keys and proxies */
  readonly env?: NodeJS.ProcessEnv;
}

/** Returns the last line that is not empty, in which most programs print their error. */
function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim() || undefined;
}

/** Runs a program until it exits, without a shell. Never rejects. */
export async function runCommand(
  file: string,
  args: readonly string[],
  { timeoutMs, signal, cwd, env = childEnvironment() }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
    execFile(file, args, { ...limits, signal, cwd, env }, (error, stdout, stderr) => {
      let failure: string | null = null;
      if (error?.killed === true) failure = `did not exit within ${timeoutMs / 1000} s`;
      else if (error !== null && typeof error.code === 'number') {
        failure = lastLine(stderr) ?? lastLine(stdout) ?? `exit status ${error.code}`;
      } else if (error !== null) failure = error.signal ? `killed by ${error.signal}` : error.message;
      resolve({ stdout, stderr, failure });
    });
  });
}
