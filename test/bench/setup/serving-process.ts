import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { childScript } from './compile-children.ts';

export interface ServingProcess {
  readonly pid: number;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Starts a script of `children` that prints its port and ends with its stdin. */
export async function startServing(script: string, args: readonly string[]): Promise<ServingProcess> {
  const child = spawn(process.execPath, [childScript(script), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => Number(text)),
    exited.then(([code]) => Promise.reject(new Error(`${script} ended with status ${code} before it served`))),
  ]);
  return { pid: pidOf(child), port: line, close: () => end(child, exited) };
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.stdin?.end();
  await exited;
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} could not be started`);
  return child.pid;
}
