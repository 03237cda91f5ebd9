import type { Bench } from '../bench.ts';
import type { ContenderName } from '../contenders/index.ts';
import { MiB, type Task } from '../measurement.ts';
import { toComparisonTable, toHistoryTable } from '../report/comparison-table.ts';
import { figureOf } from '../report/figure.ts';
import { drawBarChart } from '../report/bar-chart.ts';
import type { Chart, Section } from '../report/section.ts';
import { labelOf, type Entry, type Results } from '../rounds.ts';
import type { Scheme } from '../setup/sink.ts';

export interface LineupOptions {
  readonly scheme?: Scheme;
  /** @defaultValue that of the settings */
  readonly fileBytes?: number;
}

/** Makes entries that all upload the same file to the same sink. */
export async function createLineup(bench: Bench, { scheme, fileBytes = bench.settings.fileBytes }: LineupOptions = {}) {
  const { baseUrl } = await bench.sink(scheme);
  const path = await bench.fileOfSize(fileBytes);
  return (contender: ContenderName, change: Partial<Task> = {}, remark?: string): Entry => {
    const { partBytes, concurrency } = bench.settings;
    const task: Task = { baseUrl, path, fileBytes, partBytes, concurrency, ...change };
    return { contender, task, remark };
  };
}

export function throughputChart(name: string, title: string, { entries }: Results): Chart {
  const bars = entries.flatMap(({ entry, rounds }) => {
    const figure = figureOf(rounds.map(({ gibPerSecond }) => gibPerSecond));
    return figure ? [{ label: labelOf(entry), figure, group: entry.contender }] : [];
  });
  return { name, alt: title, svg: drawBarChart({ title, unit: 'GiB/s; thin line: minimum to maximum', bars }) };
}

/** The section of a plain comparison; a scenario adds what it has more. */
export function toSection(about: string, results: Results, more: Partial<Section> = {}): Section {
  const history = toHistoryTable(results);
  return {
    about,
    tables: [toComparisonTable(results), ...(history ? [history] : [])],
    charts: [],
    notes: results.notes,
    ratios: {},
    figures: {},
    ...more,
  };
}

export function describeSizes({ settings }: Bench, fileBytes = settings.fileBytes): string {
  const { partBytes, rounds } = settings;
  return `${formatGib(fileBytes)} in parts of ${partBytes / MiB} MiB. Medians of ${rounds} rounds (minimum–maximum).`;
}

export function formatGib(bytes: number): string {
  return bytes < 1024 * MiB ? `${bytes / MiB} MiB` : `${Number((bytes / MiB / 1024).toFixed(2))} GiB`;
}
