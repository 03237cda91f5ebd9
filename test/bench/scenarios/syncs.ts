import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from '../bench.ts';
import type { SmallFilesResult } from '../children/small-files-result.ts';
import { historyCostOf } from '../history-cost.ts';
import { MiB } from '../measurement.ts';
import { figureOf, formatFigure, type Figure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { childScript } from '../setup/compile-children.ts';
import { cpuSecondsOf, memoryOf } from '../setup/process-figures.ts';
import { startServing } from '../setup/serving-process.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import type { Scenario } from './scenario.ts';

/** Syncs of folders of small files, against the local API, which stores them. */
export const syncs: Scenario = { name: 'syncs', isQuick: false, run };

const KiB = 1024;
const MOST_ROUNDS = 3;

interface Folder {
  readonly name: string;
  readonly files: number;
  readonly fileBytes: number;
}

async function run(bench: Bench): Promise<Section> {
  const { smallFiles, tinyFiles, concurrency } = bench.settings;
  const folders: readonly Folder[] = [
    { name: `${smallFiles} files of 1 MiB`, files: smallFiles, fileBytes: MiB },
    { name: `${tinyFiles} files of 10 KiB`, files: tinyFiles, fileBytes: 10 * KiB },
  ];
  const rounds = Math.min(bench.settings.rounds, MOST_ROUNDS);
  const rows: string[][] = [];
  const ratios: Record<string, Figure> = {};
  const figures: Record<string, Figure> = {};
  for (const folder of folders) {
    const pairs: { sdk: SmallFilesResult; sync: SmallFilesResult }[] = [];
    for (let round = 1; round <= rounds; round++) {
      const pair = await measureBoth(bench, folder);
      pairs.push(pair);
      const [sync, sdk] = [pair.sync, pair.sdk].map(({ seconds }) => seconds.toFixed(1));
      bench.log(`round ${round}: ${folder.name}: sync ${sync} s, openai SDK ${sdk} s`);
    }
    const over = (ask: (pair: (typeof pairs)[number]) => number | undefined) =>
      figureOf(pairs.flatMap((pair) => ask(pair) ?? []));
    const ratio = over(({ sync, sdk }) => sync.seconds / sdk.seconds);
    rows.push([
      folder.name,
      formatFigure(over(({ sdk }) => sdk.seconds)),
      formatFigure(over(({ sync }) => sync.seconds)),
      formatFigure(ratio),
      formatFigure(over(({ sdk }) => (sdk.cpuSeconds / folder.files) * 1000)),
      formatFigure(over(({ sync }) => (sync.cpuSeconds / folder.files) * 1000)),
      formatFigure(over(({ sync }) => ((sync.temporalCpuSeconds ?? 0) / folder.files) * 1000)),
      formatFigure(over(({ sync }) => sync.actionsPerFile)),
    ]);
    if (ratio) ratios[`syncs: ${folder.name}: time of a sync / openai SDK`] = ratio;
    const actions = over(({ sync }) => sync.actionsPerFile);
    if (actions) figures[`syncs: ${folder.name}: billable actions per file`] = actions;
  }
  return {
    about: `A sync of a folder on one worker, and the official SDK for Node.js with ${concurrency} files in parallel, both against the local API. The SDK computes no MD5. Medians of ${rounds} rounds (minimum–maximum).`,
    tables: [
      {
        columns: [
          '',
          'SDK s',
          'sync s',
          'sync / SDK',
          'SDK CPU ms per file',
          'worker CPU ms per file',
          'Temporal CPU ms per file',
          'billable actions per file',
        ],
        rows,
      },
    ],
    charts: [],
    notes: [],
    ratios,
    figures,
  };
}

/** Each with a separate service, whose files list is empty. */
async function measureBoth(bench: Bench, folder: Folder) {
  const directory = await mkdtemp(join(bench.directory, 'syncs-'));
  try {
    const path = join(directory, 'data');
    await writeFolder(path, folder);
    const measure = async (name: string, way: (baseUrl: string) => Promise<SmallFilesResult>) => {
      const api = await startServing('local-api.js', [join(directory, name)]);
      try {
        return await way(`http://127.0.0.1:${api.port}/v1`);
      } finally {
        await api.close();
        await rm(join(directory, name), { recursive: true });
      }
    };
    const sdk = await measure('sdk', (baseUrl) => withSdk(bench, baseUrl, path, folder));
    const sync = await measure('sync', (baseUrl) => withSync(bench, baseUrl, path, folder));
    return { sdk, sync };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Files of different content: a sync sends the same content only once. */
async function writeFolder(path: string, { name, files, fileBytes }: Folder): Promise<void> {
  await mkdir(path);
  for (let file = 0; file < files; file++) {
    await writeFile(join(path, `${name} ${String(file).padStart(6, '0')}.bin`), randomBytes(fileBytes));
  }
}

async function withSdk({ settings }: Bench, baseUrl: string, path: string, { files }: Folder) {
  const args = [childScript('small-files-process.js'), baseUrl, path, String(files), String(settings.concurrency)];
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as SmallFilesResult;
}

async function withSync(bench: Bench, baseUrl: string, folder: string, { files }: Folder): Promise<SmallFilesResult> {
  const { client, environment, serverPid } = await bench.temporal();
  const { concurrency } = bench.settings;
  const sync = async (source: string, count: number) => {
    const id = `bench-${crypto.randomUUID()}`;
    const handle = await client.sync({ folder: source, purpose: 'assistants', id, maxConcurrentUploads: concurrency });
    const { counts } = await handle.result();
    if (counts.sent.files !== count) throw new Error(`a sync sent ${counts.sent.files} of ${count} files`);
    return id;
  };
  const warmUp = `${folder}-warm-up`;
  // Other names and sizes, so that the measured sync recognises no File.
  await writeFolder(warmUp, { name: 'warm-up', files: concurrency, fileBytes: 5 * KiB });
  return withWorkerProcess({ slots: concurrency, baseUrl, environment }, async ({ pid }) => {
    await sync(warmUp, concurrency);
    const cpuNow = () => Promise.all([cpuSecondsOf(pid), cpuSecondsOf(serverPid)]);
    const before = await cpuNow();
    const startedAtMs = performance.now();
    const id = await sync(folder, files);
    const seconds = (performance.now() - startedAtMs) / 1000;
    const after = await cpuNow();
    const { events, billableActions } = await historyCostOf(client.temporal, id, 1);
    return {
      seconds,
      cpuSeconds: after[0] - before[0],
      temporalCpuSeconds: after[1] - before[1],
      peakRssMib: (await memoryOf(pid)).peakRssMib,
      eventsPerFile: events / files,
      actionsPerFile: billableActions / files,
    };
  });
}
