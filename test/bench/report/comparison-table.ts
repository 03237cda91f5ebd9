import type { Round } from '../measurement.ts';
import { labelOf, type EntryResult, type Results } from '../rounds.ts';
import { figureOf, formatFigure, type Figure } from './figure.ts';
import type { Table } from './section.ts';

/** A figure of a round; undefined if the contender does not have it. */
type Ask = (round: Round) => number | undefined;

const throughput: Ask = ({ gibPerSecond }) => gibPerSecond;
const cpu: Ask = ({ cpuSecondsPerGib }) => cpuSecondsPerGib;

/** Medians over the rounds with their least and most; the first entry is what the others are compared with. */
export function toComparisonTable({ entries }: Results): Table {
  const [base] = entries;
  const columns: readonly (readonly [string, (result: EntryResult) => string])[] = [
    ['', ({ entry }) => labelOf(entry)],
    ['GiB/s', (result) => cell(result, throughput)],
    ['relative', (result) => (base ? formatFigure(ratioOf(result, base, throughput)) : '')],
    ['CPU s/GiB', (result) => cell(result, cpu)],
    ['Temporal CPU s/GiB', (result) => cell(result, (round) => round.temporalCpuSecondsPerGib)],
    ['sink CPU s/GiB', (result) => cell(result, (round) => round.sinkCpuSecondsPerGib)],
    ['peak MiB', (result) => cell(result, (round) => round.peakRssMib, 0)],
    ['idle MiB', (result) => cell(result, (round) => round.idleRssMib, 0)],
    ['loop lag ms, p99', (result) => cell(result, (round) => round.loopLag?.p99Ms, 1)],
    ['most', (result) => cell(result, (round) => round.loopLag?.mostMs, 0)],
    ['requests/GiB', (result) => cell(result, (round) => round.requestsPerGib, 0)],
  ];
  const all = columns.map(([, show]) => entries.map(show));
  // Omit empty columns.
  const shown = columns.filter((_, index) => all[index]?.some((text) => text !== ''));
  return { columns: shown.map(([name]) => name), rows: entries.map((result) => shown.map(([, show]) => show(result))) };
}

/** What the uploads left at Temporal, where there were any. */
export function toHistoryTable({ entries }: Results): Table | undefined {
  const rows = entries.flatMap(({ entry, rounds }) => {
    const { history } = rounds.at(-1) ?? {};
    if (!history) return [];
    const { parts, events, bytes, billableActions } = history;
    const gib = entry.task.fileBytes / 1024 ** 3;
    const per = (count: number, unit: number, digits: number) => (count / unit).toFixed(digits);
    return [
      [
        labelOf(entry),
        String(parts),
        `${events} (${per(events, parts, 1)})`,
        `${bytes} (${per(bytes, parts, 0)})`,
        `${billableActions} (${per(billableActions, parts, 2)})`,
        per(events, gib, 0),
        per(billableActions, gib, 1),
      ],
    ];
  });
  const columns = [
    '',
    'parts',
    'events (per part)',
    'bytes (per part)',
    'billable actions (per part)',
    'events/GiB',
    'actions/GiB',
  ];
  return rows.length > 0 ? { columns, rows } : undefined;
}

function cell({ rounds }: EntryResult, ask: Ask, digits?: number): string {
  return formatFigure(figureOf(rounds.flatMap((round) => ask(round) ?? [])), digits);
}

/** Taken within each round, as the machine drifts between them. */
export function ratioOf(one: EntryResult, other: EntryResult, ask: Ask): Figure | undefined {
  return figureOf(
    one.rounds.flatMap((round, index) => {
      const [above, below] = [ask(round), other.rounds[index] && ask(other.rounds[index])];
      return above === undefined || below === undefined ? [] : above / below;
    }),
  );
}

/** Finds entries by their label, and returns the ratios of their throughput and CPU time by name. */
export function createRatios({ entries }: Results, scenario: string) {
  const find = (label: string) => entries.find(({ entry }) => labelOf(entry) === label);
  const between =
    (kind: string, ask: Ask) =>
    (one: string, other: string): Record<string, Figure> => {
      const [above, below] = [find(one), find(other)];
      const ratio = above && below && ratioOf(above, below, ask);
      return ratio ? { [`${scenario}: ${kind} of ${one} / ${other}`]: ratio } : {};
    };
  return { speed: between('speed', throughput), cpu: between('CPU', cpu) };
}

/** The most memory that an entry ever took, over its rounds. */
export function peakOf({ entries }: Results, label: string): Figure | undefined {
  const found = entries.find(({ entry }) => labelOf(entry) === label);
  return found && figureOf(found.rounds.map(({ peakRssMib }) => peakRssMib));
}
