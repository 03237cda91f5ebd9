import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { SinkMoments } from '../children/sink-stats.ts';
import { figureOf, formatFigure, type Figure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { readThrough } from '../setup/bench-file.ts';
import { certificatePath, type Sink } from '../setup/sink.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import { startCli } from '../../support/cli.ts';
import { formatGib } from './comparison.ts';
import type { Scenario } from './scenario.ts';
import { uploadRequest } from '../setup/upload-request.ts';

/** What passes before the first byte of a part and after the last one. */
export const firstAndLastByte: Scenario = { name: 'first-and-last-byte', isQuick: false, run };

interface Timeline extends Required<SinkMoments> {
  readonly beganMs: number;
  /** Time at which the command printed the address of Temporal. A client has it before its start. */
  readonly temporalMs?: number | undefined;
  readonly endedMs: number;
}

type Way = (bench: Bench, sink: Sink, path: string, round: number) => Promise<Timeline>;

const ways: Readonly<Record<string, Way>> = {
  'longhaul upload, Temporal not running': (bench, sink, path, round) =>
    byCommand(sink, path, { LONGHAUL_STATE_DIR: join(bench.directory, `cold-${round}`) }),
  'longhaul upload, Temporal running': async (bench, sink, path, round) => {
    const { environment } = await bench.temporal();
    return byCommand(sink, path, { ...environment, LONGHAUL_TASK_QUEUE: `bench-warm-${round}` });
  },
  'LonghaulClient, Temporal and a worker running': byClient,
};

const steps: readonly (readonly [string, (timeline: Timeline) => number])[] = [
  ['until the connection to Temporal', ({ beganMs, temporalMs = beganMs }) => temporalMs - beganMs],
  ['until the create call', ({ beganMs, temporalMs = beganMs, createdMs }) => createdMs - temporalMs],
  ['until the first byte of a part', ({ createdMs, firstPartBegunMs }) => firstPartBegunMs - createdMs],
  [
    'until the last byte of the last part',
    ({ firstPartBegunMs, lastPartEndedMs }) => lastPartEndedMs - firstPartBegunMs,
  ],
  ['until the complete call', ({ lastPartEndedMs, completionAskedMs }) => completionAskedMs - lastPartEndedMs],
  ['until the File is returned', ({ completionAskedMs, endedMs }) => endedMs - completionAskedMs],
];

const FILE_BYTES = 256 * 1024 ** 2;

async function run(bench: Bench): Promise<Section> {
  const sink = await bench.sink();
  const path = await bench.fileOfSize(Math.min(FILE_BYTES, bench.settings.fileBytes));
  const timelines = new Map(Object.keys(ways).map((name) => [name, [] as Timeline[]]));
  for (let round = 1; round <= bench.settings.rounds; round++) {
    for (const [name, measure] of Object.entries(ways)) {
      await readThrough(path);
      timelines.get(name)?.push(await measure(bench, sink, path, round));
      bench.log(`round ${round}: ${name}`);
    }
  }
  const all = [...timelines];
  const cell = (list: readonly Timeline[], of: (timeline: Timeline) => number) =>
    formatFigure(figureOf(list.map(of)), 0);
  const [, warm = []] = all[1] ?? [];
  return {
    about:
      `Milliseconds of each step of an upload of ${formatGib(Math.min(FILE_BYTES, bench.settings.fileBytes))} without MD5, measured at the sink. ` +
      `Medians of ${bench.settings.rounds} rounds (minimum–maximum). The first and the last step include the start and the exit of the process, if one is started.`,
    tables: [
      {
        columns: ['', ...all.map(([name]) => name)],
        rows: steps.map(([step, of]) => [step, ...all.map(([, list]) => cell(list, of))]),
      },
    ],
    charts: [],
    notes: [],
    ratios: {},
    figures: {
      ...named(
        'first-and-last-byte: command to first byte, ms',
        warm.map((each) => each.firstPartBegunMs - each.beganMs),
      ),
      ...named(
        'first-and-last-byte: last byte to File, ms',
        warm.map((each) => each.endedMs - each.lastPartEndedMs),
      ),
    },
  };
}

function named(name: string, numbers: readonly number[]): Record<string, Figure> {
  const figure = figureOf(numbers);
  return figure ? { [name]: figure } : {};
}

const nowMs = () => performance.timeOrigin + performance.now();

async function byCommand(sink: Sink, path: string, environment: Readonly<Record<string, string>>): Promise<Timeline> {
  let temporalMs: number | undefined;
  const timeline = await timed(sink, async () => {
    const command = startCli(['upload', path, '--purpose', 'assistants', '--no-md5', '--again'], {
      OPENAI_API_KEY: 'sk-bench',
      OPENAI_BASE_URL: sink.baseUrl,
      NODE_EXTRA_CA_CERTS: certificatePath,
      ...environment,
    });
    command.child.stderr?.on('data', () => {
      if (command.said().includes('Temporal UI')) temporalMs ??= nowMs();
    });
    const { code, stderr } = await command.ended;
    if (code !== 0) throw new Error(`longhaul upload ended with status ${code}: ${stderr}`);
  });
  return { ...timeline, temporalMs };
}

async function byClient(bench: Bench, sink: Sink, path: string): Promise<Timeline> {
  const { client, environment } = await bench.temporal();
  const upload = async () => {
    const handle = await client.upload(uploadRequest({ file: path, md5: false }));
    await handle.result();
  };
  return withWorkerProcess({ slots: bench.settings.concurrency, baseUrl: sink.baseUrl, environment }, async () => {
    // The worker has served before, as those of a service have.
    await upload();
    return timed(sink, upload);
  });
}

async function timed(sink: Sink, upload: () => Promise<void>): Promise<Timeline> {
  await sink.reset();
  const beganMs = nowMs();
  await upload();
  const endedMs = nowMs();
  const { moments } = await sink.stats();
  return { beganMs, endedMs, ...(moments as Required<SinkMoments>) };
}
