import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pMap from 'p-map';
import type { Bench } from '../bench.ts';
import type { SmallFilesResult } from '../children/small-files-result.ts';
import { historyCostOf } from '../history-cost.ts';
import { MiB } from '../measurement.ts';
import { drawBarChart } from '../report/bar-chart.ts';
import { figureOf, formatFigure, type Figure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { childScript } from '../setup/compile-children.ts';
import { cpuSecondsOf, memoryOf } from '../setup/process-figures.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import type { Scenario } from './scenario.ts';
import { uploadRequest } from '../setup/upload-request.ts';

/** Many files of 1 MiB, where the orchestration costs more than the bytes. */
export const smallFiles: Scenario = { name: 'small-files', isQuick: false, run };

const FILE_BYTES = MiB;
const MOST_ROUNDS = 3;

type Way = (bench: Bench, path: string) => Promise<SmallFilesResult>;

const ways: Readonly<Record<string, Way>> = {
  'openai SDK, streaming': withSdk,
  'Longhaul, end to end': (bench, path) => withLonghaul(bench, path, true),
  'Longhaul, end to end, no MD5': (bench, path) => withLonghaul(bench, path, false),
  'openai SDK, streaming, one file after the other': (bench, path) => withSdk(bench, path, 1),
  'Longhaul, end to end, one file after the other': (bench, path) => withLonghaul(bench, path, true, 1),
};

async function run(bench: Bench): Promise<Section> {
  const { smallFiles: files, concurrency } = bench.settings;
  const rounds = Math.min(bench.settings.rounds, MOST_ROUNDS);
  const path = await bench.fileOfSize(FILE_BYTES);
  const results = Object.keys(ways).map((name) => ({ name, rounds: [] as SmallFilesResult[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const result of results) {
      const measured = await (ways[result.name] as Way)(bench, path);
      result.rounds.push(measured);
      bench.log(`round ${round}: ${result.name}: ${files} files in ${measured.seconds.toFixed(1)} s`);
    }
  }
  const over = (list: readonly SmallFilesResult[], ask: (result: SmallFilesResult) => number | undefined) =>
    figureOf(list.flatMap((result) => ask(result) ?? []));
  const msAFile = (list: readonly SmallFilesResult[]) => over(list, ({ seconds }) => (seconds / files) * 1000);
  const [sdk, longhaul] = results;
  const paired = (own: typeof sdk, of: (ours: SmallFilesResult, theirs: SmallFilesResult) => number) =>
    figureOf((own?.rounds ?? []).flatMap((ours, index) => (sdk?.rounds[index] ? of(ours, sdk.rounds[index]) : [])));
  const times = (ours: SmallFilesResult, theirs: SmallFilesResult) => ours.seconds / theirs.seconds;
  const msMore = (ours: SmallFilesResult, theirs: SmallFilesResult) => ((ours.seconds - theirs.seconds) / files) * 1000;
  const chart = {
    title: `${files} files of 1 MiB, ${concurrency} at a time`,
    unit: 'ms per file',
    bars: results.flatMap(({ name, rounds: list }) => {
      const figure = msAFile(list);
      return figure ? [{ label: name, figure, group: name }] : [];
    }),
  };
  const actions = longhaul?.rounds.at(-1);
  return {
    about: `${files} files of 1 MiB over loopback, ${concurrency} at a time: each is created, sent as one part and completed. The uploads of Longhaul all start at the same time, on one worker. In the last two rows, each file starts when the one before it is complete. Medians of ${rounds} rounds (minimum–maximum).`,
    tables: [
      {
        columns: ['', 's', 'ms per file', 'CPU ms per file', 'Temporal CPU ms per file', 'peak MiB'],
        rows: results.map(({ name, rounds: list }) => [
          name,
          formatFigure(over(list, ({ seconds }) => seconds)),
          formatFigure(msAFile(list)),
          formatFigure(over(list, ({ cpuSeconds }) => (cpuSeconds / files) * 1000)),
          formatFigure(over(list, ({ temporalCpuSeconds: cpu }) => cpu && (cpu / files) * 1000)),
          formatFigure(
            over(list, ({ peakRssMib }) => peakRssMib),
            0,
          ),
        ]),
      },
    ],
    charts: [{ name: 'small-files', alt: chart.title, svg: drawBarChart(chart) }],
    notes: actions
      ? [`Each file has ${actions.eventsPerFile} history events and ${actions.actionsPerFile} billable actions.`]
      : [],
    ratios: {
      ...named('small-files: time of Longhaul / openai SDK', paired(longhaul, times)),
    },
    figures: {
      ...named('small-files: cost of a file, ms', paired(longhaul, msMore)),
    },
  };
}

const named = (name: string, figure: Figure | undefined) => (figure ? { [name]: figure } : {});

async function withSdk(
  { sink, settings }: Bench,
  path: string,
  atOnce = settings.concurrency,
): Promise<SmallFilesResult> {
  const { baseUrl } = await sink();
  const args = [childScript('small-files-process.js'), baseUrl, path, settings.smallFiles, atOnce].map(String);
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as SmallFilesResult;
}

async function timed([pid, serverPid]: readonly [number, number], upload: () => Promise<unknown>) {
  const cpuNow = () => Promise.all([cpuSecondsOf(pid), cpuSecondsOf(serverPid)]);
  const before = await cpuNow();
  const startedAtMs = performance.now();
  await upload();
  const seconds = (performance.now() - startedAtMs) / 1000;
  const after = await cpuNow();
  return { seconds, cpuSeconds: after[0] - before[0], temporalCpuSeconds: after[1] - before[1] };
}

async function withLonghaul(
  { sink, temporal, settings }: Bench,
  path: string,
  md5: boolean,
  atOnce = settings.smallFiles,
): Promise<SmallFilesResult> {
  const { client, environment, serverPid } = await temporal();
  const { baseUrl } = await sink();
  const upload = async () => {
    const handle = await client.upload(uploadRequest({ file: path, md5 }));
    await handle.result();
    return handle.workflowId;
  };
  const many = (count: number) => pMap(Array.from({ length: count }), upload, { concurrency: atOnce });
  return withWorkerProcess({ slots: settings.concurrency, baseUrl, environment }, async ({ pid }) => {
    await many(settings.concurrency);
    let workflowId = '';
    const measured = await timed([pid, serverPid], async () => {
      [workflowId = ''] = await many(settings.smallFiles);
    });
    const { events, billableActions } = await historyCostOf(client.temporal, workflowId, 1);
    return {
      ...measured,
      peakRssMib: (await memoryOf(pid)).peakRssMib,
      eventsPerFile: events,
      actionsPerFile: billableActions,
    };
  });
}
