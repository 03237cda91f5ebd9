import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { temporalCliForTests } from './temporal-cli.ts';

/** Uses the server until it is killed. It loads the built code, because tsx takes half a second of CPU time. */
const program = `
  const [module, stateDir, lingerMs, path, version] = process.argv.slice(1);
  const { acquireEmbeddedTemporal } = await import(module);
  const options = { stateDir, lingerMs: Number(lingerMs), cli: async () => ({ path, version }), log: console.error };
  const { address, pid } = await acquireEmbeddedTemporal(options);
  console.log(JSON.stringify({ address, pid }));
  process.stdin.resume();
`;
const join = new URL('../../dist/src/dev/server/join.js', import.meta.url).href;

export interface TemporalUserProcess {
  readonly pid: number;
  readonly address: string;
  /** Process ID of Temporal. */
  readonly serverPid: number;
  /** A pipe of a shell, which closes when no process has the other end. */
  readonly pipe: Readable;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts another process that uses the embedded server, and waits until it has it. */
export async function startTemporalUser(stateDir: string, lingerMs: number): Promise<TemporalUserProcess> {
  const { path, version } = await temporalCliForTests();
  const node = [process.execPath, '--input-type=module', '-e', program];
  const command = [...node, join, stateDir, String(lingerMs), path, version];
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
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
