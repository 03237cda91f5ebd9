/** One contender in a process of its own, so that memory and processor time are its own: prints a `Measurement`. */
import { contenders, type PartRange } from './part-contenders.ts';

export interface PartJob {
  readonly contender: string;
  readonly baseUrl: string;
  readonly path: string;
  readonly fileBytes: number;
  readonly partBytes: number;
  readonly totalBytes: number;
  readonly concurrency: number;
}

export interface Measurement {
  readonly gibPerSecond: number;
  readonly cpuSecondsPerGib: number;
  readonly peakRssMib: number;
  /** What the part layer itself took: the rest is Node, the TypeScript loader and the libraries' code. */
  readonly peakOverIdleMib: number;
}

const GiB = 1024 ** 3;
const job = JSON.parse(process.argv[2] ?? '') as PartJob;
const create = contenders[job.contender];
if (!create) throw new Error(`there is no contender ${job.contender}`);
const contender = await create(job.baseUrl, job.path);

async function send(parts: number): Promise<void> {
  const partsInFile = Math.floor(job.fileBytes / job.partBytes);
  let next = 0;
  const worker = async () => {
    while (next < parts) {
      const index = next++ % partsInFile;
      const range: PartRange = { offsetBytes: index * job.partBytes, sizeBytes: job.partBytes };
      await contender.sendPart(range);
    }
  };
  await Promise.all(Array.from({ length: job.concurrency }, worker));
}

const idleRssMib = process.resourceUsage().maxRSS / 1024;
// Connections and compiled code are there before the clock starts.
await send(job.concurrency);
const cpuBefore = process.cpuUsage();
const startedAtMs = performance.now();
const parts = Math.ceil(job.totalBytes / job.partBytes);
await send(parts);
const seconds = (performance.now() - startedAtMs) / 1000;
const cpu = process.cpuUsage(cpuBefore);
await contender.close();

const gib = (parts * job.partBytes) / GiB;
const peakRssMib = process.resourceUsage().maxRSS / 1024;
const measurement: Measurement = {
  gibPerSecond: gib / seconds,
  cpuSecondsPerGib: (cpu.user + cpu.system) / 1e6 / gib,
  peakRssMib,
  peakOverIdleMib: peakRssMib - idleRssMib,
};
console.log(JSON.stringify(measurement));
// The SDK's connections would keep the process for a while.
process.exit(0);
