/**
 * The part layer alone, side by side with the official SDK, over loopback from a file in the page cache:
 *
 *   node --import tsx test/bench/part-layer.ts [--gib 4] [--part-mib 64] [--concurrency 8] [--rounds 3]
 *
 * Absolute figures drift with the machine; the ratio is taken within each round, and its median is what counts.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { contenders } from './part-contenders.ts';
import type { Measurement, PartJob } from './part-process.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const FILE_BYTES = GiB;

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '4' },
    'part-mib': { type: 'string', default: '64' },
    concurrency: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
  },
});

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);

async function measure(job: PartJob): Promise<Measurement> {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', script('part-process.ts'), JSON.stringify(job)]);
  return JSON.parse(stdout) as Measurement;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

async function writeFile(path: string): Promise<void> {
  const file = await open(path, 'w');
  const block = Buffer.alloc(8 * MiB, 'longhaul');
  for (let written = 0; written < FILE_BYTES; written += block.byteLength) await file.write(block);
  await file.close();
}

const directory = await mkdtemp(join(tmpdir(), 'longhaul-bench-'));
const sink = spawn(process.execPath, ['--import', 'tsx', script('sink.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
try {
  const path = join(directory, 'content.bin');
  await writeFile(path);
  const [port] = (await once(createInterface(sink.stdout), 'line')) as [string];
  const names = Object.keys(contenders);
  const results = new Map<string, Measurement[]>(names.map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const contender of names) {
      const measurement = await measure({
        contender,
        baseUrl: `http://127.0.0.1:${port}/v1`,
        path,
        fileBytes: FILE_BYTES,
        partBytes: Number(values['part-mib']) * MiB,
        totalBytes: Number(values.gib) * GiB,
        concurrency: Number(values.concurrency),
      });
      results.get(contender)?.push(measurement);
    }
  }
  const own = results.get(names[0] ?? '') ?? [];
  console.log(
    `${values.gib} GiB in parts of ${values['part-mib']} MiB, ${values.concurrency} at a time, ` +
      `${values.rounds} rounds, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`,
  );
  console.table(
    Object.fromEntries(
      names.map((name) => {
        const rows = results.get(name) ?? [];
        const ratio = median(rows.map((row, round) => (own[round]?.gibPerSecond ?? NaN) / row.gibPerSecond));
        return [
          name,
          {
            'GiB/s': median(rows.map((row) => row.gibPerSecond)).toFixed(2),
            'CPU s/GiB': median(rows.map((row) => row.cpuSecondsPerGib)).toFixed(2),
            'peak RSS MiB': Math.max(...rows.map((row) => row.peakRssMib)).toFixed(0),
            'over idle MiB': Math.max(...rows.map((row) => row.peakOverIdleMib)).toFixed(0),
            [`${names[0]} is faster by`]: `${ratio.toFixed(1)}×`,
          },
        ];
      }),
    ),
  );
} finally {
  sink.stdin.end();
  await rm(directory, { recursive: true, force: true });
}
