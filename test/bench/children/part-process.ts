/**
 * Sends parts in one way, in a separate process whose memory and CPU time are measured.
 *
 *   node part-process.js SENDER TASK
 */
import { GiB, WARM_UP_MS, type Measurement, type Task } from '../measurement.ts';
import { watchLoopLag } from './loop-lag.ts';
import { partSenders, type PartSenderName } from './part-senders.ts';

const [name = '', taskJson = ''] = process.argv.slice(2);
const task = JSON.parse(taskJson) as Task;
const sender = await partSenders[name as PartSenderName](task.baseUrl, task.path);

async function send(count: number, partBytes: number): Promise<void> {
  let next = 0;
  const sendNext = async () => {
    while (next < count) {
      const offsetBytes = (next++ * partBytes) % task.fileBytes;
      await sender.sendPart({ offsetBytes, sizeBytes: Math.min(partBytes, task.fileBytes - offsetBytes) });
    }
  };
  await Promise.all(Array.from({ length: task.concurrency }, sendNext));
}

const idleRssMib = process.resourceUsage().maxRSS / 1024;
const warmUpUntilMs = performance.now() + WARM_UP_MS;
do await send(task.concurrency, task.warmUpPartBytes ?? task.partBytes);
while (performance.now() < warmUpUntilMs);
const readLoopLag = watchLoopLag();
const cpuBefore = process.cpuUsage();
const startedAtMs = performance.now();
await send(Math.ceil(task.fileBytes / task.partBytes), task.partBytes);
const seconds = (performance.now() - startedAtMs) / 1000;
const cpu = process.cpuUsage(cpuBefore);
const loopLag = readLoopLag();
await sender.close();

const gib = task.fileBytes / GiB;
const measurement: Measurement = {
  gibPerSecond: gib / seconds,
  cpuSecondsPerGib: (cpu.user + cpu.system) / 1e6 / gib,
  idleRssMib,
  peakRssMib: process.resourceUsage().maxRSS / 1024,
  loopLag,
};
console.log(JSON.stringify(measurement));
// The SDK's connections would keep the process for a while.
process.exit(0);
