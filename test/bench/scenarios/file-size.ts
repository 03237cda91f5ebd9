import type { Bench } from '../bench.ts';
import { openAiLimits } from '../../../src/contracts/limits.ts';
import { partSizeWithin } from '../../../src/core/upload/plan.ts';
import { GiB, MiB } from '../measurement.ts';
import { toComparisonTable, toHistoryTable } from '../report/comparison-table.ts';
import { figureOf, type Figure } from '../report/figure.ts';
import { drawLineChart } from '../report/line-chart.ts';
import type { Chart, Section } from '../report/section.ts';
import { runRounds, type EntryResult, type Results } from '../rounds.ts';
import { createLineup, formatGib } from './comparison.ts';
import type { Scenario } from './scenario.ts';

/** From a small file to the largest: time, memory and history. */
export const fileSize: Scenario = { name: 'file-size', isQuick: false, run };

const SIZES: readonly number[] = [64 * MiB, 256 * MiB, GiB, 2 * GiB, 4 * GiB, 8 * GiB];
const MOST_ROUNDS = 3;

async function run(bench: Bench): Promise<Section> {
  const { largeFileBytes } = bench.settings;
  const rounds = Math.min(bench.settings.rounds, MOST_ROUNDS);
  const all: Results[] = [];
  for (const fileBytes of SIZES.filter((size) => size <= largeFileBytes)) {
    const entry = await createLineup(bench, { fileBytes });
    const change = { partBytes: partSizeWithin(openAiLimits, fileBytes) };
    const remark = formatGib(fileBytes);
    const entries = [
      entry('Longhaul, end to end', change, remark),
      entry('Longhaul, end to end, no MD5', change, remark),
    ];
    all.push(await runRounds(bench, await bench.sink(), entries, rounds));
    await bench.removeFiles();
  }
  const results: Results = { entries: all.flatMap(({ entries }) => entries), notes: all.flatMap(({ notes }) => notes) };
  const history = toHistoryTable(results);
  return {
    about: `Through Temporal over loopback, with the automatic part size. Medians of ${rounds} rounds (minimum–maximum).`,
    tables: [toComparisonTable(results), ...(history ? [history] : [])],
    charts: charts(results),
    notes: results.notes,
    ratios: {},
    figures: { ...linearity(results), ...flatness(results), ...historyCost(results) },
  };
}

const names = ['Longhaul, end to end', 'Longhaul, end to end, no MD5'] as const;
const of = ({ entries }: Results, name: string) => entries.filter(({ entry }) => entry.contender === name);
const gibOf = ({ entry }: EntryResult) => entry.task.fileBytes / GiB;
const secondsOf = (result: EntryResult) => figureOf(result.rounds.map((round) => gibOf(result) / round.gibPerSecond));
const peakOf = ({ rounds }: EntryResult) => figureOf(rounds.map(({ peakRssMib }) => peakRssMib));

const formatX = (gib: number) => formatGib(gib * GiB);

function charts(results: Results): readonly Chart[] {
  const draw = (
    name: string,
    title: string,
    yUnit: string,
    ask: (result: EntryResult) => number | undefined,
  ): Chart => {
    const lines = names.map((label) => ({
      label,
      points: of(results, label).map((result) => [gibOf(result), ask(result) ?? 0] as const),
    }));
    return {
      name,
      alt: title,
      svg: drawLineChart({ title, xUnit: 'file', yUnit, lines, formatX, isLogX: name !== 'file-size-time' }),
    };
  };
  return [
    draw('file-size-time', 'Time by file size', 's', (result) => secondsOf(result)?.median),
    draw('file-size-memory', 'Peak memory of the worker by file size', 'MiB', (result) => peakOf(result)?.median),
    draw('file-size-history', 'History by file size', 'events', ({ rounds }) => rounds.at(-1)?.history?.events),
  ];
}

/** Of the largest file, where what an upload costs once weighs least. */
function historyCost(results: Results): Record<string, Figure> {
  const costs =
    of(results, names[0])
      .at(-1)
      ?.rounds.flatMap(({ history }) => history ?? []) ?? [];
  const events = figureOf(costs.map((cost) => cost.events / cost.parts));
  const actions = figureOf(costs.map((cost) => cost.billableActions / cost.parts));
  if (!events || !actions) return {};
  return { 'file-size: events per part': events, 'file-size: billable actions per part': actions };
}

/** How the largest of the files that are worth it compares with 1 GiB, a GiB each. */
function linearity(results: Results): Record<string, Figure> {
  const list = of(results, names[1]);
  const [gib, largest] = [list.find((result) => gibOf(result) === 1), list.at(-1)];
  if (!gib || !largest) return {};
  const figure = figureOf(
    gib.rounds.flatMap((round, index) => {
      const other = largest.rounds[index];
      return other ? round.gibPerSecond / other.gibPerSecond : [];
    }),
  );
  return figure ? { 'file-size: time per GiB, largest / 1 GiB': figure } : {};
}

function flatness(results: Results): Record<string, Figure> {
  const peaks = of(results, names[0]).flatMap((result) => peakOf(result)?.median ?? []);
  const apart = Math.max(...peaks) - Math.min(...peaks);
  return peaks.length > 0 ? { 'file-size: peak MiB apart': { median: apart, least: apart, most: apart } } : {};
}
