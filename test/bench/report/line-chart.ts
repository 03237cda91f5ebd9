import { colour, formatTick, line, picture, rectangle, round, text, ticksTo } from './svg.ts';

export interface Line {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly xUnit: string;
  readonly yUnit: string;
  /** Shows an x; by default as a number. */
  readonly formatX?: (x: number) => string;
  /** Steps of x may be doublings. @defaultValue false */
  readonly isLogX?: boolean;
  readonly lines: readonly Line[];
}

const [WIDTH, HEIGHT] = [900, 360];
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 640, 54, 310];

/** Lines through the points, with what each one is at the right. */
export function drawLineChart(chart: LineChart): string {
  const { title, xUnit, yUnit, formatX = formatTick, isLogX = false, lines } = chart;
  const points = lines.flatMap((each) => each.points);
  const xs = [...new Set(points.map(([x]) => x))].toSorted((a, b) => a - b);
  const ticks = ticksTo(Math.max(...points.map(([, y]) => y)));
  const place = (x: number) => (isLogX ? Math.log(x) : x);
  const [first, last] = [place(xs[0] ?? 0), place(xs.at(-1) ?? 1)];
  const scaleX = (x: number) => LEFT + ((place(x) - first) / (last - first || 1)) * (RIGHT - LEFT);
  const scaleY = (y: number) => BOTTOM - (y / (ticks.at(-1) || 1)) * (BOTTOM - TOP);
  return picture(WIDTH, HEIGHT, title, [
    text(LEFT, TOP - 10, yUnit, { size: 11 }),
    text(RIGHT, BOTTOM + 34, xUnit, { anchor: 'end', size: 11 }),
    ...ticks.flatMap((tick) => [
      line(LEFT, scaleY(tick), RIGHT, scaleY(tick), '#ddd'),
      text(LEFT - 8, scaleY(tick) + 4, formatTick(tick), { anchor: 'end', size: 11 }),
    ]),
    ...xs.map((x) => text(scaleX(x), BOTTOM + 18, formatX(x), { anchor: 'middle', size: 11 })),
    ...lines.flatMap(({ label, points: own }, index) => [
      `<polyline fill="none" stroke="${colour(index)}" stroke-width="2" points="${own
        .map(([x, y]) => `${round(scaleX(x))},${round(scaleY(y))}`)
        .join(' ')}"/>`,
      ...own.map(([x, y]) => rectangle(scaleX(x) - 3, scaleY(y) - 3, 6, 6, colour(index))),
      rectangle(RIGHT + 20, TOP + index * 20, 12, 12, colour(index)),
      text(RIGHT + 38, TOP + index * 20 + 10, label),
    ]),
  ]);
}
