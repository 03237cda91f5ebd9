/**
 * Longhaul side by side with the official SDK, from a file in the page cache to a sink on the same machine:
 *
 *   npm run bench -- [--gib 2] [--part-mib 64] [--concurrency 8] [--rounds 3]
 *
 * Absolute figures drift with the machine; ratios are taken within a round, and their median is what counts. Linux only.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { LonghaulClient } from '../../src/client/longhaul-client.ts';
import { acquireEmbeddedTemporal } from '../../src/dev/embedded-temporal/embedded-temporal.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { readThrough, writeBenchFile } from './bench-file.ts';
import { measureWholePath, type Temporal } from './end-to-end.ts';
import { describeHistoryCost, type HistoryCost } from './history-cost.ts';
import { GiB, MiB, type Measurement, type Task } from './measurement.ts';
import { toTable } from './table.ts';

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '2' },
    'part-mib': { type: 'string', default: '64' },
    concurrency: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
  },
});

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);
let history: HistoryCost | undefined;

type Contender = (task: Task, temporal: Temporal) => Promise<Measurement>;

/** One line for each; the first is what the others are compared with. */
const contenders: Readonly<Record<string, Contender>> = {
  'part layer': measureParts('longhaul'),
  'openai SDK, streaming': measureParts('openai SDK, streaming'),
  'end to end': measureEndToEnd({ md5: true }),
  'end to end, no md5': measureEndToEnd({ md5: false }),
};

function measureParts(name: string): Contender {
  return async (task) => {
    const args = ['--import', 'tsx', script('part-process.ts'), name, JSON.stringify(task)];
    return JSON.parse((await run(process.execPath, args)).stdout) as Measurement;
  };
}

function measureEndToEnd(options: { readonly md5: boolean }): Contender {
  return async (task, temporal) => {
    const measurement = await measureWholePath(temporal, task, options);
    if (options.md5) ({ history } = measurement);
    return measurement;
  };
}

async function startSink(): Promise<{ readonly baseUrl: string; readonly close: () => Promise<unknown> }> {
  const sink = spawn(process.execPath, ['--import', 'tsx', script('sink.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(sink, 'exit');
  const [port] = (await once(createInterface(sink.stdout), 'line')) as [string];
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    close: () => {
      sink.stdin.end();
      return exited;
    },
  };
}

async function startTemporal(stateDir: string): Promise<Temporal & { readonly close: () => Promise<unknown> }> {
  const server = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests });
  const taskQueue = 'bench';
  const client = await LonghaulClient.connect({ connection: { address: server.address }, taskQueue });
  return {
    client,
    serverPid: server.pid,
    environment: { LONGHAUL_STATE_DIR: stateDir, LONGHAUL_TASK_QUEUE: taskQueue, OPENAI_API_KEY: 'sk-bench' },
    close: async () => {
      await client.close();
      await server.release();
    },
  };
}

async function measureAll(task: Task, temporal: Temporal): Promise<ReadonlyMap<string, readonly Measurement[]>> {
  const entries = Object.entries(contenders);
  const results = new Map(entries.map(([name]): [string, Measurement[]] => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, measure] of entries) {
      await readThrough(task.path);
      results.get(name)?.push(await measure(task, temporal));
    }
  }
  return results;
}

const closers: (() => Promise<unknown>)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0).toReversed()) await close();
};
process.once('SIGINT', () => void closeAll().finally(() => process.exit(130)));
try {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-bench-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  const sink = await startSink();
  closers.push(sink.close);
  const temporal = await startTemporal(join(directory, 'state'));
  closers.push(temporal.close);

  const task: Task = {
    baseUrl: sink.baseUrl,
    path: join(directory, 'content.bin'),
    fileBytes: Math.round(Number(values.gib) * GiB),
    partBytes: Number(values['part-mib']) * MiB,
    concurrency: Number(values.concurrency),
  };
  await writeBenchFile(task.path, task.fileBytes);
  const results = await measureAll(task, temporal);
  console.log(
    `${values.gib} GiB in parts of ${values['part-mib']} MiB, ${values.concurrency} at a time, ${values.rounds} rounds ` +
      `(median, least–most), Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`,
  );
  console.table(toTable(results));
  if (history) console.log(describeHistoryCost(history));
} finally {
  await closeAll();
}
