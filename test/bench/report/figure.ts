/** One number over the rounds. */
export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Undefined for no numbers at all. */
export function figureOf(numbers: readonly number[]): Figure | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [least, lower, upper, most] = [
    sorted[0],
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.floor(sorted.length / 2)],
    sorted.at(-1),
  ];
  if (least === undefined || lower === undefined || upper === undefined || most === undefined) return undefined;
  return { median: (lower + upper) / 2, least, most };
}

/** Two digits behind the point, or as many as a small number needs to say something. */
export function digitsFor(value: number): number {
  return Math.abs(value) >= 0.1 || value === 0 ? 2 : 4;
}

/** `1.12 (1.05–1.20)`; no spread where there was one round. */
export function formatFigure(figure: Figure | undefined, givenDigits?: number): string {
  if (!figure) return '';
  const { median, least, most } = figure;
  const digits = givenDigits ?? digitsFor(median);
  const spread = least === most ? '' : ` (${least.toFixed(digits)}–${most.toFixed(digits)})`;
  return `${median.toFixed(digits)}${spread}`;
}
