import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cleanEnvironment } from '../../support/cli.ts';
import { until } from '../../support/until.ts';
import type { LoopLag } from '../measurement.ts';
import { childScript } from './compile-children.ts';
import { pidOf } from './serving-process.ts';
import { certificatePath } from './sink.ts';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** Node gives back what starting took, and the pollers are all out. */
const SETTLE_MS = 1500;

const running = new Map<ChildProcess, Promise<unknown>>();

export interface WorkerProcess {
  readonly pid: number;
  /** How late its event loop was since it was asked last. */
  readonly loopLag: () => Promise<LoopLag>;
  /** Where it serves its metrics, when its environment asks for them. */
  readonly metricsUrl: string | undefined;
}

export interface WorkerProcessOptions {
  /** Undefined for as many as the worker finds best. */
  readonly slots: number | undefined;
  readonly baseUrl: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs `body` with a `longhaul worker` in a separate process, after its start. */
export async function withWorkerProcess<T>(
  { slots, baseUrl, environment }: WorkerProcessOptions,
  body: (worker: WorkerProcess) => Promise<T>,
): Promise<T> {
  const probe = pathToFileURL(childScript('worker-probe.js')).href;
  const fixed = slots === undefined ? [] : ['--slots', String(slots)];
  const child = spawn(process.execPath, ['--import', probe, main, 'worker', ...fixed], {
    env: cleanEnvironment({ ...environment, OPENAI_BASE_URL: baseUrl, NODE_EXTRA_CA_CERTS: certificatePath }),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const exited = once(child, 'exit');
  running.set(child, exited);
  try {
    const said = await untilReady(child);
    const metricsUrl = /metrics on (http:\S+\/metrics)/.exec(said)?.[1];
    return await body({ pid: pidOf(child), loopLag: () => askLoopLag(child), metricsUrl });
  } finally {
    running.delete(child);
    child.kill('SIGTERM');
    await exited;
  }
}

/** Stops the remaining processes of an aborted bench, because a worker would keep the Temporal server running. */
export async function endWorkerProcesses(): Promise<void> {
  for (const [child, exited] of running) {
    child.kill('SIGTERM');
    await exited;
  }
}

/** @returns its output until then */
async function untilReady(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the worker ended:\n${said}`);
    return said.includes('worker on ');
  }, 'a worker that serves');
  await setTimeout(SETTLE_MS);
  return said;
}

async function askLoopLag(child: ChildProcess): Promise<LoopLag> {
  child.send('read');
  const [answer] = (await once(child, 'message')) as [LoopLag];
  return answer;
}
