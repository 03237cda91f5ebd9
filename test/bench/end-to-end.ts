import { setTimeout } from 'node:timers/promises';
import type { LonghaulClient } from '../../src/client/longhaul-client.ts';
import { startCli, type CliRun } from '../support/cli.ts';
import { until } from '../support/until.ts';
import { countBillableActions, type HistoryCost } from './history-cost.ts';
import { GiB, type Measurement, type Task } from './measurement.ts';
import { cpuSecondsOf, memoryOf } from './process-figures.ts';

/** A Temporal server, and a client whose uploads the workers of `environment` take. */
export interface Temporal {
  readonly client: LonghaulClient;
  readonly serverPid: number;
  readonly environment: Readonly<Record<string, string>>;
}

export interface WholePathOptions {
  readonly md5: boolean;
}

/** Node gives back what starting took, and the pollers are all out. */
const SETTLE_MS = 1500;

/** `longhaul worker` of a new process uploads the file, from `uploadFile` being started to its result. */
export async function measureWholePath(
  { client, serverPid, environment }: Temporal,
  task: Task,
  { md5 }: WholePathOptions,
): Promise<Measurement & { readonly history: HistoryCost }> {
  // The md5 is an activity too and takes a slot for itself.
  const slots = task.concurrency + (md5 ? 1 : 0);
  const worker = startCli(['worker', '--slots', String(slots)], { ...environment, OPENAI_BASE_URL: task.baseUrl });
  try {
    const pid = await untilReady(worker);
    const idle = await memoryOf(pid);
    // As with the part layer: connections and compiled code are there before the clock starts.
    await upload(client, task, md5);

    const cpuBefore = await Promise.all([cpuSecondsOf(pid), cpuSecondsOf(serverPid)]);
    const startedAtMs = performance.now();
    const handle = await upload(client, task, md5);
    const seconds = (performance.now() - startedAtMs) / 1000;
    const [workerCpu = NaN, serverCpu = NaN] = (await Promise.all([cpuSecondsOf(pid), cpuSecondsOf(serverPid)])).map(
      (cpu, index) => cpu - (cpuBefore[index] ?? NaN),
    );

    const gib = task.fileBytes / GiB;
    const workflow = client.client.workflow.getHandle(handle);
    const { historyLength, historySize } = await workflow.describe();
    return {
      gibPerSecond: gib / seconds,
      cpuSecondsPerGib: workerCpu / gib,
      temporalCpuSecondsPerGib: serverCpu / gib,
      idleRssMib: idle.rssMib,
      peakRssMib: (await memoryOf(pid)).peakRssMib,
      history: {
        events: historyLength,
        bytes: historySize ?? NaN,
        parts: Math.ceil(task.fileBytes / task.partBytes),
        billableActions: countBillableActions(await workflow.fetchHistory()),
      },
    };
  } finally {
    worker.child.kill('SIGTERM');
    await worker.ended;
  }
}

async function upload(client: LonghaulClient, task: Task, md5: boolean): Promise<string> {
  const handle = await client.upload({
    file: task.path,
    purpose: 'batch',
    md5,
    partSizeBytes: task.partBytes,
    id: `bench-${crypto.randomUUID()}`,
  });
  await handle.result();
  return handle.workflowId;
}

async function untilReady(worker: CliRun): Promise<number> {
  await until(() => {
    if (worker.child.exitCode !== null) throw new Error(`the worker ended:\n${worker.said()}`);
    return worker.said().includes('worker on ');
  }, 'a worker that serves');
  await setTimeout(SETTLE_MS);
  return worker.child.pid as number;
}
