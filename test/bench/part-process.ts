/** One contender of the part layer in a process of its own, so that memory and processor time are its own. */
import { GiB, type Measurement, type Task } from './measurement.ts';
import { partContenders, type PartRange } from './part-contenders.ts';

const [name = '', taskJson = ''] = process.argv.slice(2);
const task = JSON.parse(taskJson) as Task;
const create = partContenders[name];
if (!create) throw new Error(`there is no contender ${name}`);
const contender = await create(task.baseUrl, task.path);
const partsInFile = Math.ceil(task.fileBytes / task.partBytes);

async function send(parts: number): Promise<void> {
  let next = 0;
  const sendNext = async () => {
    while (next < parts) {
      const offsetBytes = (next++ % partsInFile) * task.partBytes;
      const range: PartRange = { offsetBytes, sizeBytes: Math.min(task.partBytes, task.fileBytes - offsetBytes) };
      await contender.sendPart(range);
    }
  };
  await Promise.all(Array.from({ length: task.concurrency }, sendNext));
}

const idleRssMib = process.resourceUsage().maxRSS / 1024;
// Connections and compiled code are there before the clock starts.
await send(task.concurrency);
const cpuBefore = process.cpuUsage();
const startedAtMs = performance.now();
await send(partsInFile);
const seconds = (performance.now() - startedAtMs) / 1000;
const cpu = process.cpuUsage(cpuBefore);
await contender.close();

const gib = task.fileBytes / GiB;
const measurement: Measurement = {
  gibPerSecond: gib / seconds,
  cpuSecondsPerGib: (cpu.user + cpu.system) / 1e6 / gib,
  idleRssMib,
  peakRssMib: process.resourceUsage().maxRSS / 1024,
};
console.log(JSON.stringify(measurement));
// The SDK's connections would keep the process for a while.
process.exit(0);
