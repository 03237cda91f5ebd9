import type { ContenderName } from '../contenders/index.ts';
import { figureOf } from '../report/figure.ts';
import { drawLineChart, type Line } from '../report/line-chart.ts';
import type { Chart } from '../report/section.ts';
import type { Results } from '../rounds.ts';
import type { Task } from '../measurement.ts';

export interface SweepChart {
  readonly name: string;
  readonly title: string;
  readonly xUnit: string;
  readonly x: (task: Task) => number;
}

/** Median throughput over what was varied, a line for each contender. */
export function sweepChart({ name, title, xUnit, x }: SweepChart, { entries }: Results): Chart {
  const contenders = [...new Set(entries.map(({ entry }) => entry.contender))];
  const lineOf = (contender: ContenderName): Line => ({
    label: contender,
    points: entries
      .filter(({ entry }) => entry.contender === contender)
      .map(
        ({ entry, rounds }) =>
          [x(entry.task), figureOf(rounds.map((round) => round.gibPerSecond))?.median ?? 0] as const,
      )
      .toSorted(([a], [b]) => a - b),
  });
  const svg = drawLineChart({ title, xUnit, yUnit: 'GiB/s', isLogX: true, lines: contenders.map(lineOf) });
  return { name, alt: title, svg };
}
