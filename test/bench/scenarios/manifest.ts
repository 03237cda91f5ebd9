import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SyncManifest } from '../../../activities/sync/manifest/manifest.ts';
import type { SyncScope } from '../../../src/contracts/plan-sync.ts';
import type { RememberedFile } from '../../../src/contracts/sync.ts';
import { identitiesOf } from '../../../src/sources/file/source.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { cleanEnvironment } from '../../support/cli.ts';
import type { Bench } from '../bench.ts';
import { figureOf, formatFigure, type Figure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { cpuSecondsOf, memoryOf } from '../setup/process-figures.ts';
import type { Scenario } from './scenario.ts';

/** Syncs without changes of very many files, with a manifest, by the command with its embedded server. */
export const manifest: Scenario = { name: 'manifest', isQuick: false, run };

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const COUNTS = [1000, 10_000, 100_000];
const MOST_ROUNDS = 3;
const SAMPLE_MS = 50;
const CREATED_AT = Math.floor(Date.now() / 1000);

interface Measured {
  readonly seconds: number;
  readonly syncSeconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMib: number;
}

async function run(bench: Bench): Promise<Section> {
  const rounds = Math.min(bench.settings.rounds, MOST_ROUNDS);
  const rows: string[][] = [];
  const figures: Record<string, Figure> = {};
  for (const count of COUNTS) {
    const directory = await mkdtemp(join(bench.directory, 'manifest-'));
    const results: Measured[] = [];
    const files = await prepare(directory, count);
    const service = await serve(files);
    try {
      for (let round = 0; round <= rounds; round++) {
        const measured = await measure(directory, service.baseUrl, count);
        // The first run starts with a cold cache and creates Temporal's database.
        if (round > 0) results.push(measured);
        bench.log(`${count} files: ${measured.syncSeconds.toFixed(1)} s, ${measured.peakRssMib.toFixed(0)} MiB`);
      }
    } finally {
      await service.close();
      await rm(directory, { recursive: true });
    }
    const over = (ask: (one: Measured) => number) => figureOf(results.map(ask));
    const [seconds, memory] = [over((one) => one.syncSeconds), over((one) => one.peakRssMib)];
    const [whole, cpu] = [over((one) => one.seconds), over((one) => one.cpuSeconds)];
    rows.push([
      count.toLocaleString('en'),
      ...[seconds, whole, cpu].map((one) => formatFigure(one)),
      formatFigure(memory, 0),
    ]);
    if (seconds) figures[`manifest: ${count} files: seconds of a sync without changes`] = seconds;
    if (memory) figures[`manifest: ${count} files: peak RSS in MiB`] = memory;
  }
  return {
    about: `A sync of a folder without changes by \`longhaul sync --manifest\`, with the embedded server. The process contains the command and the worker. The service returns the Files in pages of 10,000. Medians of ${rounds} runs (minimum–maximum).`,
    tables: [{ columns: ['files', 'sync s', 'command s', 'CPU s', 'peak RSS MiB'], rows }],
    charts: [],
    notes: [],
    ratios: {},
    figures,
  };
}

/** Creates a folder and its manifest. @returns the rows of the files list of the service */
async function prepare(directory: string, count: number): Promise<{ readonly id: string; readonly json: string }[]> {
  const path = join(directory, 'data');
  const scope: SyncScope = {
    source: { type: 'folder', path },
    destination: 'default',
    purpose: 'assistants',
    prefix: '',
    include: [],
    exclude: [],
  };
  const add: RememberedFile[] = [];
  const files: { id: string; json: string }[] = [];
  for (let index = 0; index < count; index++) {
    const folder = `part-${Math.floor(index / 1000)}`;
    if (index % 1000 === 0) await mkdir(join(path, folder), { recursive: true });
    const name = `${folder}/${String(index).padStart(6, '0')}.jsonl`;
    const content = `{"number":${index}}\n`;
    await writeFile(join(path, name), content);
    const stats = await lstat(join(path, name), { bigint: true });
    const md5 = createHash('md5').update(content).digest('hex');
    const id = `file-${md5.slice(0, 24)}`;
    const [bytes, filename] = [content.length, name.replace('/', '__')];
    const file = {
      id,
      object: 'file',
      bytes,
      created_at: CREATED_AT,
      filename,
      purpose: 'assistants',
      status: 'processed',
    };
    files.push({ id, json: JSON.stringify(file) });
    const { version, change } = identitiesOf(stats);
    add.push({ path: name, sizeBytes: bytes, version, change, fileId: id, md5, createdAt: CREATED_AT });
  }
  const store = await new Sources({ any: true }).manifest({ type: 'file', path: join(directory, 'sync.jsonl') });
  await new SyncManifest(store, scope).record({ add, remove: [] }, new AbortController().signal);
  return files;
}

/** A service that only lists Files. The local API would need a folder for each of them. */
async function serve(files: readonly { readonly id: string; readonly json: string }[]) {
  const positions = new Map(files.map(({ id }, position) => [id, position]));
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams;
    const start = (positions.get(query.get('after') ?? '') ?? -1) + 1;
    const page = files.slice(start, start + Number(query.get('limit') ?? 10_000));
    response.setHeader('content-type', 'application/json');
    const more = { has_more: start + page.length < files.length, last_id: page.at(-1)?.id ?? null };
    response.end(`{"object":"list","data":[${page.map(({ json }) => json).join()}],${JSON.stringify(more).slice(1)}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function measure(directory: string, baseUrl: string, count: number): Promise<Measured> {
  const environment = {
    OPENAI_BASE_URL: baseUrl,
    OPENAI_API_KEY: 'sk-bench',
    LONGHAUL_STATE_DIR: join(directory, 'state'),
    LONGHAUL_LINGER: '0',
  };
  const args = [
    'sync',
    join(directory, 'data'),
    '--purpose',
    'assistants',
    '--manifest',
    join(directory, 'sync.jsonl'),
  ];
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [main, ...args, '--json'], {
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors, cpuSeconds, peakRssMib] = ['', '', 0, 0];
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exited = once(child, 'close');
  const sample = async (pid: number) => {
    const [cpu, memory] = await Promise.all([cpuSecondsOf(pid), memoryOf(pid)]);
    if (Number.isNaN(memory.peakRssMib)) return;
    cpuSeconds = cpu;
    peakRssMib = memory.peakRssMib;
  };
  // The process can have ended in the meantime.
  const timer = setInterval(() => void sample(child.pid as number).catch(() => {}), SAMPLE_MS);
  await exited;
  clearInterval(timer);
  const seconds = (performance.now() - startedAtMs) / 1000;
  if (child.exitCode !== 0) throw new Error(`the sync failed: ${errors}`);
  const { counts, durationMs } = JSON.parse(output) as { counts: { same: number }; durationMs: number };
  if (counts.same !== count) throw new Error(`${counts.same} of ${count} files are unchanged`);
  return { seconds, syncSeconds: durationMs / 1000, cpuSeconds, peakRssMib };
}
