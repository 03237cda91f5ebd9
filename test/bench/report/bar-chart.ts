import { digitsFor, type Figure } from './figure.ts';
import { colour, formatTick, line, picture, rectangle, text, ticksTo } from './svg.ts';

export interface Bar {
  readonly label: string;
  readonly figure: Figure;
  /** Bars of the same group have the same colour. */
  readonly group: string;
}

export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 860;
const LABELS = 270;
const ROW = 24;
const TOP = 44;

/** Lying bars as long as the median, with a thin line from the least to the most. */
export function drawBarChart({ title, unit, bars }: BarChart): string {
  const ticks = ticksTo(Math.max(...bars.map(({ figure }) => figure.most)));
  const scale = (value: number) => LABELS + (value / (ticks.at(-1) || 1)) * (WIDTH - LABELS - 70);
  const bottom = TOP + bars.length * ROW;
  const groups = [...new Set(bars.map(({ group }) => group))];
  const grid = ticks.flatMap((tick) => [
    line(scale(tick), TOP, scale(tick), bottom, '#ddd'),
    text(scale(tick), bottom + 16, formatTick(tick), { anchor: 'middle', size: 11 }),
  ]);
  const rows = bars.flatMap(({ label, figure, group }, index) => {
    const y = TOP + index * ROW;
    const middle = y + ROW / 2;
    return [
      text(LABELS - 8, middle + 4, label, { anchor: 'end' }),
      rectangle(LABELS, y + 4, scale(figure.median) - LABELS, ROW - 8, colour(groups.indexOf(group))),
      line(scale(figure.least), middle, scale(figure.most), middle, '#222', 1.5),
      text(scale(figure.most) + 6, middle + 4, figure.median.toFixed(digitsFor(figure.median)), { size: 11 }),
    ];
  });
  const unitText = text(WIDTH - 16, bottom + 34, unit, { anchor: 'end', size: 11 });
  return picture(WIDTH, bottom + 44, title, [...grid, ...rows, unitText]);
}
