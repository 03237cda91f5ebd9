import { Defaults } from '../../../src/contracts/limits.ts';
import { historyCostOf } from '../history-cost.ts';
import { GiB, WARM_UP_MS, type Measurement, type Task } from '../measurement.ts';
import { readThrough } from '../setup/bench-file.ts';
import { cpuSecondsOf, memoryOf } from '../setup/process-figures.ts';
import type { Temporal } from '../setup/temporal.ts';
import { uploadRequest } from '../setup/upload-request.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import type { Contender } from './contender.ts';

export interface WholePathOptions {
  readonly md5: boolean;
  /** Whether the worker determines the number of parts in flight. @defaultValue false */
  readonly isAdaptive?: boolean;
  /** Serve metrics, which are scraped every second. @defaultValue false */
  readonly metrics?: boolean;
}

/** Far more often than anybody does, so that a short upload pays for it too. */
const SCRAPE_INTERVAL_MS = 1000;
const WARM_UP_SCRAPES = 5;

/** A file of exactly that size, for the warm-up. */
export type FileOfSize = (sizeBytes: number) => Promise<string>;

/** `longhaul worker` of a new process uploads the file, from `uploadFile` being started to its result. */
export function wholePath(
  temporal: () => Promise<Temporal>,
  fileOfSize: FileOfSize,
  options: WholePathOptions,
): Contender {
  return {
    prepare: ({ path }) => readThrough(path),
    measure: async (task) => {
      const warmUpPath = await fileOfSize(warmUpBytes(task));
      return measureWholePath(await temporal(), warmUpPath, task, options);
    },
  };
}

const warmUpBytes = ({ concurrency, partBytes, warmUpPartBytes = partBytes }: Task) => concurrency * warmUpPartBytes;

async function measureWholePath(
  { client, serverPid, environment }: Temporal,
  warmUpPath: string,
  task: Task,
  { md5, isAdaptive = false, metrics = false }: WholePathOptions,
): Promise<Measurement> {
  const { baseUrl, path, partBytes, warmUpPartBytes = partBytes, concurrency, fileBytes } = task;
  const upload = async (file: string, partSizeBytes: number) => {
    const id = `bench-${crypto.randomUUID()}`;
    // The window stays wider than the slots, as it is by default.
    const window = Math.max(Defaults.concurrency, 2 * concurrency);
    const request = uploadRequest({ file, md5, partSizeBytes, id });
    const handle = await client.upload(isAdaptive ? request : { ...request, concurrency: window });
    return handle.result();
  };
  // The md5 is an activity too and takes a slot for itself.
  const slots = isAdaptive ? undefined : concurrency + (md5 ? 1 : 0);
  const asked = metrics ? { ...environment, LONGHAUL_METRICS_PORT: '0' } : environment;
  return withWorkerProcess({ slots, baseUrl, environment: asked }, async (worker) => {
    const idle = await memoryOf(worker.pid);
    const warmUpUntilMs = performance.now() + WARM_UP_MS;
    do await upload(warmUpPath, warmUpPartBytes);
    while (performance.now() < warmUpUntilMs);

    const stopScraping = worker.metricsUrl === undefined ? () => {} : await startScraping(worker.metricsUrl);
    await worker.loopLag();
    const cpuBefore = await cpuOf(worker.pid, serverPid);
    const startedAtMs = performance.now();
    const { workflowId, parts } = await upload(path, partBytes);
    const seconds = (performance.now() - startedAtMs) / 1000;
    stopScraping();
    const cpu = await cpuOf(worker.pid, serverPid);
    const gib = fileBytes / GiB;
    return {
      gibPerSecond: gib / seconds,
      cpuSecondsPerGib: (cpu.worker - cpuBefore.worker) / gib,
      temporalCpuSecondsPerGib: (cpu.server - cpuBefore.server) / gib,
      idleRssMib: idle.rssMib,
      peakRssMib: (await memoryOf(worker.pid)).peakRssMib,
      loopLag: await worker.loopLag(),
      history: await historyCostOf(client.temporal, workflowId, parts),
    };
  });
}

async function startScraping(url: string): Promise<() => void> {
  const scrape = async () => (await fetch(url)).text();
  // The first ones load and compile code, which a worker that lives for days pays for once.
  for (let warmUps = 0; warmUps < WARM_UP_SCRAPES; warmUps++) await scrape();
  const timer = setInterval(() => void scrape(), SCRAPE_INTERVAL_MS);
  return () => clearInterval(timer);
}

async function cpuOf(
  workerPid: number,
  serverPid: number,
): Promise<{ readonly worker: number; readonly server: number }> {
  const [worker, server] = await Promise.all([cpuSecondsOf(workerPid), cpuSecondsOf(serverPid)]);
  return { worker, server };
}
