import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { printable } from '../../core/text/printable.ts';
import { cutMiddle } from './wrap-text.ts';

export interface Column<Row> {
  readonly header: string;
  readonly text: (row: Row) => string;
  /** @defaultValue left */
  readonly align?: 'right';
  /** Order in which columns are omitted if the table is too wide, highest number first. @defaultValue never */
  readonly dropOrder?: number;
  /** The same for a table that is still too wide after its texts are shortened. @defaultValue never */
  readonly narrowDropOrder?: number;
  /** Minimum width to which texts are shortened in the middle if no column can be omitted. @defaultValue never */
  readonly shrinksTo?: number;
}

const GAP = '  ';

interface Laid<Row> extends Column<Row> {
  readonly cells: readonly string[];
  readonly width: number;
}

/**
 * Returns the lines of a table, headers first, without empty columns.
 *
 * @param width of the terminal; undefined for no limit
 */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): string[] {
  const laid = columns.map((column) => layOut(column, rows)).filter(({ cells }) => cells.some(Boolean));
  const fitted = width === undefined ? laid : fit(laid, width);
  const lineOf = (cells: readonly string[]) => {
    const line = cells
      .map((cell, index) => pad(cell, fitted[index] as Laid<Row>))
      .join(GAP)
      .trimEnd();
    return width === undefined ? line : cliTruncate(line, width);
  };
  return [
    lineOf(fitted.map(({ header }) => header)),
    ...rows.map((_, index) => lineOf(fitted.map(({ cells }) => cells[index] as string))),
  ];
}

function layOut<Row>(column: Column<Row>, rows: readonly Row[]): Laid<Row> {
  const cells = rows.map((row) => printable(column.text(row)));
  return { ...column, cells, width: Math.max(...[column.header, ...cells].map((cell) => stringWidth(cell))) };
}

function fit<Row>(columns: readonly Laid<Row>[], width: number): readonly Laid<Row>[] {
  const kept = leaveOut(
    columns,
    ({ dropOrder }) => dropOrder,
    (some) => totalWidth(some) <= width,
  );
  const leastWidth = ({ width: natural, shrinksTo = Infinity }: Laid<Row>) => Math.min(natural, shrinksTo);
  const isShrinkable = (some: readonly Laid<Row>[]) => totalWidth(some, leastWidth) <= width;
  return shrink(
    leaveOut(kept, ({ narrowDropOrder }) => narrowDropOrder, isShrinkable),
    width,
  );
}

/** Omits the columns with the highest order first, until the others fit or no column has an order. */
function leaveOut<Row>(
  columns: readonly Laid<Row>[],
  orderOf: (column: Laid<Row>) => number | undefined,
  fits: (columns: readonly Laid<Row>[]) => boolean,
): readonly Laid<Row>[] {
  if (fits(columns)) return columns;
  const [first] = columns
    .filter((column) => orderOf(column) !== undefined)
    .toSorted((a, b) => (orderOf(b) as number) - (orderOf(a) as number));
  if (!first) return columns;
  const others = columns.filter((column) => column !== first);
  return leaveOut(others, orderOf, fits);
}

/** Shortens the widest column first. */
function shrink<Row>(columns: readonly Laid<Row>[], width: number): readonly Laid<Row>[] {
  const excess = totalWidth(columns) - width;
  if (excess <= 0) return columns;
  const [widest, second] = columns
    .filter((column) => column.width > (column.shrinksTo ?? Infinity))
    .toSorted((a, b) => b.width - a.width);
  if (!widest) return columns;
  const least = Math.max(widest.shrinksTo as number, Math.min(second?.width ?? 0, widest.width - 1));
  const narrower = Math.max(least, widest.width - excess);
  const cells = widest.cells.map((cell) => cutMiddle(cell, narrower));
  return shrink(
    columns.map((column) => (column === widest ? { ...column, cells, width: narrower } : column)),
    width,
  );
}

function totalWidth<Row>(
  columns: readonly Laid<Row>[],
  widthOf: (column: Laid<Row>) => number = ({ width }) => width,
): number {
  return columns.reduce((sum, column) => sum + widthOf(column), GAP.length * (columns.length - 1));
}

function pad<Row>(cell: string, { width, align }: Laid<Row>): string {
  const space = ' '.repeat(Math.max(width - stringWidth(cell), 0));
  return align === 'right' ? space + cell : cell + space;
}
