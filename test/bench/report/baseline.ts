import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../settings.ts';
import { formatFigure, type Figure } from './figure.ts';

const path = fileURLToPath(new URL('../baseline.json', import.meta.url));

type Ratios = Readonly<Record<string, Figure>>;

/** Conditions of the ratios in addition to the code. */
export type BaselineSizes = Pick<Settings, 'fileBytes' | 'partBytes' | 'concurrency'>;

interface Baseline {
  readonly conditions: string;
  readonly sizes: BaselineSizes;
  readonly ratios: Ratios;
}

/** Smaller changes of a ratio are ignored. */
const LEAST_NEWS = 0.05;

export async function writeBaseline(ratios: Ratios, settings: BaselineSizes, conditions: string): Promise<void> {
  const rounded = Object.entries(ratios).map(([name, { median, least, most }]) => {
    const [a, b, c] = [median, least, most].map((value) => Number(value.toFixed(3)));
    return [name, { median: a, least: b, most: c }];
  });
  const baseline: Baseline = { conditions, sizes: sizesOf(settings), ratios: Object.fromEntries(rounded) as Ratios };
  await writeFile(path, `${JSON.stringify(baseline, null, 2)}\n`);
}

/** What moved beyond the noise since the committed baseline, a line each, and how much did not. */
export async function compareWithBaseline(ratios: Ratios, settings: BaselineSizes): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return ['baseline not found. Create it with --quick --write-baseline'];
  const baseline = JSON.parse(text) as Baseline;
  if (!isDeepStrictEqual(baseline.sizes, sizesOf(settings))) {
    return [`the baseline was made with other sizes (${JSON.stringify(baseline.sizes)}), so nothing is compared`];
  }
  return [`baseline: ${baseline.conditions}`, ...compareRatios(ratios, baseline.ratios)];
}

function sizesOf({ fileBytes, partBytes, concurrency }: BaselineSizes): BaselineSizes {
  return { fileBytes, partBytes, concurrency };
}

export function compareRatios(now: Ratios, before: Ratios): readonly string[] {
  const names = Object.keys(now).filter((name) => before[name]);
  const moved = names.flatMap((name) => describeMove(name, now[name] as Figure, before[name] as Figure));
  const fresh = Object.keys(now).filter((name) => !before[name]);
  const missing = Object.keys(before).filter((name) => !now[name]);
  return [
    ...moved,
    ...fresh.map((name) => `new, not in the baseline: ${name}: ${formatFigure(now[name])}`),
    ...missing.map((name) => `in the baseline, not measured now: ${name}`),
    `${names.length - moved.length} of ${names.length} ratios are within the noise of the baseline`,
  ];
}

/** Rounds that overlap those of the baseline are noise. */
function describeMove(name: string, now: Figure, before: Figure): string[] {
  const isApart = now.least > before.most || now.most < before.least;
  const change = now.median / before.median - 1;
  if (!isApart || Math.abs(change) < LEAST_NEWS) return [];
  const percent = `${change > 0 ? '+' : '−'}${Math.abs(change * 100).toFixed(0)}%`;
  return [`MOVED ${percent}: ${name}: ${formatFigure(now)}, was ${formatFigure(before)}`];
}
