import { describe, expect, it } from 'vitest';
import { compareRatios } from '../../bench/report/baseline.ts';
import { figureOf, formatFigure } from '../../bench/report/figure.ts';
import { fillGoalsTable } from '../../bench/report/goals.ts';
import { drawLineChart } from '../../bench/report/line-chart.ts';
import { ticksTo } from '../../bench/report/svg.ts';

const figure = (least: number, median: number, most: number) => ({ least, median, most });

describe('a figure', () => {
  it('has the median, the minimum and the maximum', () => {
    expect(figureOf([3, 1, 2])).toEqual(figure(1, 2, 3));
    expect(figureOf([4, 1, 2, 3])).toEqual(figure(1, 2.5, 4));
    expect(figureOf([])).toBeUndefined();
  });

  it('is formatted with its range, and with more digits if it is small', () => {
    expect(formatFigure(figure(1, 1.125, 1.5))).toBe('1.13 (1.00–1.50)');
    expect(formatFigure(figure(0.0114, 0.0114, 0.0114))).toBe('0.0114');
    expect(formatFigure(undefined)).toBe('');
  });
});

describe('the comparison with the baseline', () => {
  const before = { 'a / b': figure(0.9, 1, 1.1) };

  it('reports a ratio whose rounds do not overlap those of the baseline', () => {
    const [moved, summary] = compareRatios({ 'a / b': figure(1.2, 1.3, 1.4) }, before);
    expect(moved).toBe('MOVED +30%: a / b: 1.30 (1.20–1.40), was 1.00 (0.90–1.10)');
    expect(summary).toContain('0 of 1 ratios are within the noise');
  });

  it('ignores overlapping rounds, and a change of less than 5%, as noise', () => {
    expect(compareRatios({ 'a / b': figure(1.05, 1.3, 1.4) }, before)).toHaveLength(1);
    const steady = { 'a / b': figure(1, 1, 1) };
    expect(compareRatios({ 'a / b': figure(1.03, 1.03, 1.03) }, steady)).toHaveLength(1);
    expect(compareRatios({ 'a / b': figure(0.9, 0.9, 0.9) }, steady)[0]).toContain('MOVED −10%');
  });

  it('lists ratios that only the measurement or only the baseline has', () => {
    const lines = compareRatios({ 'c / d': figure(1, 1, 1) }, before).join('\n');
    expect(lines).toContain('new, not in the baseline: c / d: 1.00');
    expect(lines).toContain('in the baseline, not measured now: a / b');
  });
});

describe('the table of goals', () => {
  const name = 'loopback: speed of Longhaul, part layer × 8 / curl × 8';
  const row = (table: string) =>
    table.split('\n').find((line) => line.startsWith('| Part layer at least as fast')) ?? '';

  it('marks a goal without a measurement', () => {
    expect(row(fillGoalsTable('', {}))).toContain('| to be measured | to be measured |');
  });

  it('shows whether a measured goal is reached', () => {
    expect(row(fillGoalsTable('', { [name]: figure(1, 1.2, 1.3) }))).toContain('| 1.20 (1.00–1.30) | reached |');
    expect(row(fillGoalsTable('', { [name]: figure(0.8, 0.9, 1) }))).toContain('**not reached, to be explained** |');
  });

  it('keeps an explanation by hand, and results that are not measured again', () => {
    const measured = fillGoalsTable('', { [name]: figure(0.8, 0.9, 1) });
    const explained = measured.replace('**not reached, to be explained**', 'the sink takes a whole core');
    expect(row(fillGoalsTable(explained, {}))).toContain('| 0.90 (0.80–1.00) | the sink takes a whole core |');
    const again = row(fillGoalsTable(explained, { [name]: figure(0.7, 0.7, 0.7) }));
    expect(again).toContain('| 0.70 | the sink takes a whole core |');
  });
});

describe('a chart', () => {
  it('has about five round ticks up to the maximum', () => {
    expect(ticksTo(0.95)).toEqual([0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]);
    expect(ticksTo(230)).toEqual([0, 50, 100, 150, 200, 250]);
    expect(ticksTo(0)).toEqual([0]);
  });

  it('draws the points of a line to scale, with its escaped label', () => {
    const lines = [{ label: 'a < b', points: [[1, 0] as const, [2, 1] as const] }];
    const svg = drawLineChart({ title: 'chart', xUnit: 'x', yUnit: 'y', lines });
    expect(svg).toContain('points="70,310 640,54"');
    expect(svg).toContain('>a &lt; b</text>');
  });
});
