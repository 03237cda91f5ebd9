import { spawn } from 'node:child_process';

export interface KeyCommandCall {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** How a command ended. `failure` completes a sentence that starts with the command. */
export type KeyCommandOutcome = { readonly stdout: string } | { readonly failure: string; readonly stderr: string };

const MAX_STDOUT_BYTES = 64 * 1024;
const MAX_STDERR_BYTES = 4096;
/** Time for the last output of a process that has exited: its children can keep the pipe open. */
const DRAIN_MS = 1000;

/** Runs a command to its end, with limited time and output. Never rejects. */
export function runKeyCommand({ command, environment, timeoutMs }: KeyCommandCall): Promise<KeyCommandOutcome> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    // In a separate process group, so that a script ends with the programs that it started.
    const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const stdout = collect(child.stdout, MAX_STDOUT_BYTES, () => end('printed more than 64 KiB'));
    const stderr = collect(child.stderr, MAX_STDERR_BYTES, () => {});
    let isOver = false;
    let drain: NodeJS.Timeout | undefined;
    const finish = (outcome: KeyCommandOutcome) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      clearTimeout(drain);
      child.stdout.destroy();
      child.stderr.destroy();
      killGroup(child.pid);
      resolve(outcome);
    };
    const end = (failure: string) => finish({ failure, stderr: stderr() });
    const timer = setTimeout(() => end(`did not end within ${timeoutMs / 1000} s`), timeoutMs);
    child.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code === 'ENOENT' ? 'was not found (ENOENT)' : `cannot be run (${error.code ?? error.message})`);
    });
    const exited = (code: number | null, signal: NodeJS.Signals | null) => {
      if (code === 0) finish({ stdout: stdout() });
      else end(signal ? `was ended by ${signal}` : `exited with status ${code}`);
    };
    child.once('exit', (code, signal) => (drain = setTimeout(() => exited(code, signal), DRAIN_MS)));
    child.once('close', exited);
  });
}

/** @returns what came so far, cut at the limit */
function collect(stream: NodeJS.ReadableStream, maxBytes: number, onLimit: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => {
    if (bytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes));
    bytes += chunk.byteLength;
    if (bytes > maxBytes) onLimit();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
