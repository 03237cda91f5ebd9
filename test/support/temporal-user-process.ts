import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('embedded-temporal-user.ts', import.meta.url));

export interface TemporalUserProcess {
  readonly pid: number;
  readonly address: string;
  /** Process ID of Temporal. */
  readonly serverPid: number;
  /** A pipe of a shell, which closes when no process has the other end. */
  readonly pipe: Readable;
  /** Lets it release the server and waits until it has ended. */
  finish(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts another process that uses the embedded server, and waits until it has it. */
export async function startTemporalUser(stateDir: string, lingerMs = 0): Promise<TemporalUserProcess> {
  const command = [process.execPath, '--import', 'tsx', script, stateDir, String(lingerMs)];
  // As bash passes `<(command)`. Node.js closes descriptors up to 15 in its children automatically.
  const child = spawn('bash', ['-c', 'exec 63<&3 3<&-; exec "$@"', 'bash', ...command], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    ended.then(() => null),
  ]);
  if (line === null) throw new Error(`The process that uses the server ended: ${stderr}`);
  const { address, pid } = JSON.parse(line) as { address: string; pid: number };
  return {
    pid: child.pid ?? -1,
    address,
    serverPid: pid,
    pipe: child.stdio[3] as Readable,
    finish: async () => {
      child.stdin.end();
      return (await ended)[0];
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
