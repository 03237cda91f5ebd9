import type { Bench } from '../bench.ts';
import { GiB, MiB } from '../measurement.ts';
import { createRatios, toComparisonTable } from '../report/comparison-table.ts';
import { figureOf, type Figure } from '../report/figure.ts';
import { drawLineChart } from '../report/line-chart.ts';
import type { Chart, Section } from '../report/section.ts';
import { runRounds, type Results } from '../rounds.ts';
import { withLink, type Link } from '../setup/link.ts';
import { createLineup } from './comparison.ts';
import type { Scenario } from './scenario.ts';

/** Links of limited bandwidth, with delay. */
export const links: Scenario = { name: 'links', isQuick: false, run };

const gbit = (value: number) => (value * 1e9) / 8;

interface MeasuredLink extends Link {
  /** Carries the whole file, however long it takes: short uploads say more of their begin and end than of the link. */
  readonly takesAll?: boolean;
}

const link = (bandwidth: string, bytesPerSecond: number, roundTripMs: number): MeasuredLink => ({
  name: `${bandwidth}, ${roundTripMs} ms`,
  bytesPerSecond,
  roundTripMs,
});

const LINKS: readonly MeasuredLink[] = [
  link('100 Mbit/s', gbit(0.1), 20),
  link('100 Mbit/s', gbit(0.1), 100),
  { ...link('1 Gbit/s', gbit(1), 20), takesAll: true },
  link('1 Gbit/s', gbit(1), 100),
  link('5 Gbit/s', gbit(5), 20),
  link('10 Gbit/s', gbit(10), 20),
  link('10 Gbit/s', gbit(10), 100),
];

const MOST_ROUNDS = 3;

async function run(bench: Bench): Promise<Section> {
  const results: Results[] = [];
  for (const each of LINKS) results.push(await measureLink(bench, each));
  const { linkSeconds, rounds } = bench.settings;
  return {
    about:
      `Through a relay with the bandwidth and half the round trip as delay. Each contender fills the link for about ${linkSeconds} s, that of 1 Gbit/s and 20 ms with the whole file. ` +
      `Medians of ${Math.min(rounds, MOST_ROUNDS)} rounds (minimum–maximum). A connection has at most 4 MiB in transit, the default of Linux. ` +
      'Packet loss and slow start are not simulated. If the first row is far below its link, the relay is the limit: it needs a core.',
    tables: results.map((each) => toComparisonTable(each)),
    charts: [shareChart(results)],
    notes: [...new Set(results.flatMap(({ notes }) => notes))],
    ratios: Object.assign(
      {},
      ...results.map((each, index) => ratiosOf(each, LINKS[index]?.name ?? '')),
    ) as Section['ratios'],
    figures: {},
  };
}

async function measureLink(bench: Bench, { takesAll = false, ...given }: MeasuredLink): Promise<Results> {
  const { linkSeconds, rounds, fileBytes: mostBytes } = bench.settings;
  const wantedBytes = takesAll ? mostBytes : Math.min(given.bytesPerSecond * linkSeconds, mostBytes);
  // Enough parts that sixteen in flight make a difference.
  const partMib = Math.min(Math.max(2 ** Math.floor(Math.log2(wantedBytes / 32 / MiB)), 1), 64);
  const fileBytes = Math.ceil(wantedBytes / MiB / partMib) * partMib * MiB;
  const sink = await bench.sink();
  return withLink(given, sink, async (baseUrl) => {
    const create = await createLineup(bench, { fileBytes });
    const entry = (contender: Parameters<typeof create>[0], concurrency: number) =>
      create(contender, { baseUrl, concurrency, partBytes: partMib * MiB, warmUpPartBytes: MiB }, given.name);
    const entries = [
      entry('Longhaul, part layer', 8),
      entry('Longhaul, part layer', 1),
      entry('Longhaul, part layer', 4),
      entry('Longhaul, part layer', 16),
      entry('openai SDK, streaming', 8),
      entry('Longhaul, end to end', 8),
      entry('Longhaul, end to end, no MD5', 8),
    ];
    return runRounds(bench, sink, entries, Math.min(rounds, MOST_ROUNDS));
  });
}

function ratiosOf(results: Results, name: string): Record<string, Figure> {
  const { speed } = createRatios(results, 'links');
  const [whole, noMd5] = [`Longhaul, end to end × 8, ${name}`, `Longhaul, end to end, no MD5 × 8, ${name}`];
  return { ...speed(whole, `Longhaul, part layer × 8, ${name}`), ...speed(whole, noMd5) };
}

/** Share of each link that is used, one line for each contender. */
function shareChart(results: readonly Results[]): Chart {
  const title = 'Share of the link bandwidth';
  const shares = results.flatMap(({ entries }, index) =>
    entries.map(({ entry: { contender, task }, rounds }) => {
      const speed = figureOf(rounds.map(({ gibPerSecond }) => gibPerSecond))?.median ?? 0;
      const share = (speed * GiB) / (LINKS[index]?.bytesPerSecond ?? NaN);
      return { label: `${contender} × ${task.concurrency}`, point: [index, share] as const };
    }),
  );
  const lines = [...new Set(shares.map(({ label }) => label))].map((label) => ({
    label,
    points: shares.filter((share) => share.label === label).map(({ point }) => point),
  }));
  const formatX = (index: number) => (LINKS[index]?.name ?? '').replace('bit/s,', '');
  return {
    name: 'links',
    alt: title,
    svg: drawLineChart({ title, xUnit: 'bandwidth (bit/s), round trip', yUnit: 'share', formatX, lines }),
  };
}
