import { setTimeout } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import type { Bench } from '../bench.ts';
import { MiB } from '../measurement.ts';
import { figureOf, formatFigure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import type { Scenario } from './scenario.ts';
import { uploadRequest } from '../setup/upload-request.ts';

/** Whether a limit is held, without the upload being slower than it need be. */
export const limits: Scenario = { name: 'limits', isQuick: false, run };

interface Way {
  readonly name: string;
  readonly worker?: number;
  readonly upload?: number;
  readonly retuneTo?: number;
}

/** Rates in MiB/s. */
const ways: readonly Way[] = [
  { name: '`worker --limit 10MiB/s`', worker: 10 },
  { name: '`worker --limit 50MiB/s`', worker: 50 },
  { name: '`worker --limit 100MiB/s`', worker: 100 },
  { name: '`upload --limit 50MiB/s`', upload: 50 },
  { name: '`upload --limit 20MiB/s`, then `retune --limit 80MiB/s`', upload: 20, retuneTo: 80 },
  { name: '`upload --limit 50MiB/s` on `worker --limit 10MiB/s`', upload: 50, worker: 10 },
];

const MEASURED_MS = 10_000;
const SETTLE_MS = 1000;
/** A change reaches the parts in flight within 5 s. */
const RETUNE_MS = 6000;
const MOST_ROUNDS = 3;

async function run(bench: Bench): Promise<Section> {
  const rounds = Math.min(bench.settings.rounds, MOST_ROUNDS);
  const results = ways.map((way) => ({ way, rates: [] as number[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { way, rates } of results) {
      rates.push(await measure(bench, way));
      bench.log(`round ${round}: ${way.name}: ${rates.at(-1)?.toFixed(2)} MiB/s`);
    }
  }
  const offPercent = ({ way, rates }: (typeof results)[number]) =>
    rates.map((rate) => (rate / expectedRate(way) - 1) * 100);
  const furthest = figureOf([Math.max(...results.flatMap(offPercent).map(Math.abs))]);
  return {
    about: `Bytes that the sink received within ${MEASURED_MS / 1000} s in the middle of an upload in parts of ${bench.settings.partBytes / MiB} MiB over loopback. Medians of ${rounds} rounds (minimum–maximum).`,
    tables: [
      {
        columns: ['', 'MiB/s', 'deviation, %'],
        rows: results.map((result) => [
          result.way.name,
          formatFigure(figureOf(result.rates)),
          formatFigure(figureOf(offPercent(result)), 1),
        ]),
      },
    ],
    charts: [],
    notes: [],
    ratios: {},
    figures: furthest ? { 'limits: largest deviation, %': furthest } : {},
  };
}

/** The tightest limit that holds. */
function expectedRate({ worker = Infinity, upload = Infinity, retuneTo = upload }: Way): number {
  return Math.min(worker, retuneTo);
}

async function measure({ sink, temporal, settings, fileOfSize }: Bench, way: Way): Promise<number> {
  const { client, environment } = await temporal();
  const { baseUrl, stats, reset } = await sink();
  const file = await fileOfSize(settings.fileBytes);
  const limited = way.worker === undefined ? environment : { ...environment, LONGHAUL_LIMIT: `${way.worker}MiB/s` };
  return withWorkerProcess({ slots: undefined, baseUrl, environment: limited }, async () => {
    await reset();
    const upload = await client.upload(
      uploadRequest({
        file,
        md5: false,
        partSizeBytes: settings.partBytes,
        limitBytesPerSecond: way.upload === undefined ? undefined : way.upload * MiB,
      }),
    );
    await until(async () => (await stats()).moments.firstPartBegunMs !== undefined, 'the first part');
    if (way.retuneTo !== undefined) {
      await upload.retune({ limitBytesPerSecond: way.retuneTo * MiB });
      await setTimeout(RETUNE_MS);
    }
    await setTimeout(SETTLE_MS);
    const before = { bytes: (await stats()).bodyBytes, atMs: performance.now() };
    await setTimeout(MEASURED_MS);
    const after = { bytes: (await stats()).bodyBytes, atMs: performance.now() };
    await upload.cancel();
    await upload.result().catch(() => {});
    return ((after.bytes - before.bytes) / MiB / (after.atMs - before.atMs)) * 1000;
  });
}
