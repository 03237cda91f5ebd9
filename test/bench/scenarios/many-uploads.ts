import type { Bench } from '../bench.ts';
import { GiB } from '../measurement.ts';
import { drawLineChart } from '../report/line-chart.ts';
import { figureOf, formatFigure, type Figure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { readThrough } from '../setup/bench-file.ts';
import { cpuSecondsOf, memoryOf } from '../setup/process-figures.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import { formatGib } from './comparison.ts';
import type { Scenario } from './scenario.ts';
import { uploadRequest } from '../setup/upload-request.ts';

/** From one upload to many at the same time, on one worker. */
export const manyUploads: Scenario = { name: 'many-uploads', isQuick: false, run };

const STEPS: readonly number[] = [1, 10, 50, 100, 200];
const MOST_ROUNDS = 3;

interface Crowd {
  readonly gibPerSecond: number;
  readonly peakRssMib: number;
  readonly cpuSecondsPerGib: number;
  readonly temporalCpuSecondsPerGib: number;
  readonly firstSeconds: number;
  readonly medianSeconds: number;
  readonly lastSeconds: number;
}

async function run(bench: Bench): Promise<Section> {
  const { uploads: most, uploadBytes } = bench.settings;
  const rounds = Math.min(bench.settings.rounds, MOST_ROUNDS);
  const path = await bench.fileOfSize(uploadBytes);
  const steps = [...STEPS.filter((step) => step < most), most].map((uploads) => ({ uploads, crowds: [] as Crowd[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { uploads, crowds } of steps) {
      await readThrough(path);
      const crowd = await measureCrowd(bench, path, uploads);
      crowds.push(crowd);
      bench.log(`round ${round}: ${uploads} uploads at the same time: ${crowd.gibPerSecond.toFixed(2)} GiB/s`);
    }
  }
  const over = (crowds: readonly Crowd[], ask: (crowd: Crowd) => number) => figureOf(crowds.map(ask));
  const line = (label: string, ask: (crowd: Crowd) => number) => ({
    label,
    points: steps.map(({ uploads, crowds }) => [uploads, over(crowds, ask)?.median ?? 0] as const),
  });
  const axis = { xUnit: 'uploads at the same time', isLogX: true };
  const charts = [
    {
      name: 'many-uploads-speed',
      alt: 'Throughput of all uploads together',
      yUnit: 'GiB/s',
      lines: [line('all uploads', (crowd) => crowd.gibPerSecond)],
    },
    {
      name: 'many-uploads-memory',
      alt: 'Peak memory of the worker',
      yUnit: 'MiB',
      lines: [line('worker', (crowd) => crowd.peakRssMib)],
    },
    {
      name: 'many-uploads-ends',
      alt: 'Completion times of uploads that started together',
      yUnit: 's',
      lines: [
        line('the last', (crowd) => crowd.lastSeconds),
        line('the median', (crowd) => crowd.medianSeconds),
        line('the first', (crowd) => crowd.firstSeconds),
      ],
    },
  ];
  return {
    about:
      `Uploads of ${formatGib(uploadBytes)} each without MD5, which all start at the same time on one worker with ${bench.settings.concurrency} slots, through Temporal over loopback. ` +
      `Medians of ${rounds} rounds (minimum–maximum). Uploads that share the slots fairly complete at about the same time. An upload that starves would complete late.`,
    tables: [
      {
        columns: [
          'uploads',
          'GiB/s',
          'CPU s/GiB',
          'Temporal CPU s/GiB',
          'peak MiB',
          'first completes, s',
          'middle, s',
          'last, s',
        ],
        rows: steps.map(({ uploads, crowds }) => [
          String(uploads),
          formatFigure(over(crowds, (crowd) => crowd.gibPerSecond)),
          formatFigure(over(crowds, (crowd) => crowd.cpuSecondsPerGib)),
          formatFigure(over(crowds, (crowd) => crowd.temporalCpuSecondsPerGib)),
          formatFigure(
            over(crowds, (crowd) => crowd.peakRssMib),
            0,
          ),
          formatFigure(over(crowds, (crowd) => crowd.firstSeconds)),
          formatFigure(over(crowds, (crowd) => crowd.medianSeconds)),
          formatFigure(over(crowds, (crowd) => crowd.lastSeconds)),
        ]),
      },
    ],
    charts: charts.map(({ name, alt, ...chart }) => ({
      name,
      alt,
      svg: drawLineChart({ title: alt, ...axis, ...chart }),
    })),
    notes: [],
    ...compareEnds(steps[0]?.crowds ?? [], steps.at(-1)?.crowds ?? []),
  };
}

function compareEnds(one: readonly Crowd[], many: readonly Crowd[]): Pick<Section, 'ratios' | 'figures'> {
  const paired = (of: (one: Crowd, many: Crowd) => number) =>
    figureOf(many.flatMap((crowd, index) => (one[index] ? of(one[index], crowd) : [])));
  const named = (name: string, figure: Figure | undefined) => (figure ? { [name]: figure } : {});
  return {
    ratios: {
      ...named(
        'many-uploads: speed of most / one',
        paired((a, b) => b.gibPerSecond / a.gibPerSecond),
      ),
      ...named(
        'many-uploads: last / middle',
        paired((_, b) => b.lastSeconds / b.medianSeconds),
      ),
    },
    figures: named(
      'many-uploads: peak MiB over one',
      paired((a, b) => b.peakRssMib - a.peakRssMib),
    ),
  };
}

async function measureCrowd({ sink, temporal, settings }: Bench, path: string, uploads: number): Promise<Crowd> {
  const { client, environment, serverPid } = await temporal();
  const { baseUrl } = await sink();
  const upload = async () => {
    const handle = await client.upload(uploadRequest({ file: path, md5: false }));
    await handle.result();
    return performance.now();
  };
  return withWorkerProcess({ slots: settings.concurrency, baseUrl, environment }, async ({ pid }) => {
    await upload();
    const cpuBefore = await Promise.all([cpuSecondsOf(pid), cpuSecondsOf(serverPid)]);
    const startedAtMs = performance.now();
    const ends = await Promise.all(Array.from({ length: uploads }, upload));
    const cpu = await Promise.all([cpuSecondsOf(pid), cpuSecondsOf(serverPid)]);
    const seconds = figureOf(ends.map((endMs) => (endMs - startedAtMs) / 1000)) ?? {
      least: NaN,
      median: NaN,
      most: NaN,
    };
    const gib = (uploads * settings.uploadBytes) / GiB;
    return {
      gibPerSecond: gib / seconds.most,
      peakRssMib: (await memoryOf(pid)).peakRssMib,
      cpuSecondsPerGib: (cpu[0] - cpuBefore[0]) / gib,
      temporalCpuSecondsPerGib: (cpu[1] - cpuBefore[1]) / gib,
      firstSeconds: seconds.least,
      medianSeconds: seconds.median,
      lastSeconds: seconds.most,
    };
  });
}
