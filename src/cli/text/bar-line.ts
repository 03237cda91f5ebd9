import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { printable } from '../../core/text/printable.ts';
import type { UnpolledQueue } from '../../client/queues/unpolled-queue.ts';
import type { WaitingInfo } from '../../contracts/upload.ts';

/** The progress of one upload or sync on a line. */
export interface BarLine {
  readonly name?: string;
  /** 0 to 1. */
  readonly fraction: number;
  /** The most important first. If the terminal is narrow, the second is omitted first. */
  readonly words: readonly string[];
}

const BAR_WIDTHS = [24, 10, 0];
/** A longer name is cut in its middle, to this width at least. */
const LEAST_NAME = 12;
const BRACKETS = 2;
/** Some terminals start a new line when the last column is written. */
const MARGIN = 1;

/**
 * Returns a name, a bar and words, as much as fits. A shorter bar, no bar and fewer words are tried in this order.
 *
 * @param columns of the terminal
 */
export function barLine(line: BarLine, columns: number): string {
  const width = Math.max(columns - MARGIN, 1);
  const name = printable(line.name ?? '');
  const nameWidth = stringWidth(name);
  for (const words of fewerAndFewer(line.words.map(printable))) {
    for (const barWidth of BAR_WIDTHS) {
      const rest = [...(barWidth > 0 ? [bar(line.fraction, barWidth)] : []), words.join(' · ')].join(' ');
      const space = width - stringWidth(rest) - (name ? 1 : 0);
      if (space < Math.min(nameWidth, LEAST_NAME)) continue;
      return name ? `${cliTruncate(name, Math.max(space, 1), { position: 'middle' })} ${rest}` : rest;
    }
  }
  return cliTruncate([name, line.words[0] ?? ''].filter(Boolean).join(' '), width, { position: 'middle' });
}

function fewerAndFewer(words: readonly string[]): readonly (readonly string[])[] {
  const withoutSecond = words.filter((_, index) => index !== 1);
  const [first = ''] = words;
  const last = words.length > 1 ? [words.at(-1) as string] : [];
  return [words, withoutSecond, [first, ...last], [first]];
}

function bar(fraction: number, width: number): string {
  const inner = width - BRACKETS;
  const done = Math.round(Math.min(Math.max(fraction, 0), 1) * inner);
  return `[${'='.repeat(done)}${'-'.repeat(inner - done)}]`;
}

/** What an upload or a sync waits for, in words for who watches it; undefined when it doesn't wait. */
export function describeWait(waiting: WaitingInfo | null): string | undefined {
  return waiting ? `waits: ${waiting.reason}; it goes on by itself, and at once with "longhaul retry"` : undefined;
}

const NOBODY_ANSWERS = 'waiting for a worker or for Temporal to answer';

interface WaitingEvent {
  readonly type: string;
  readonly unpolled?: UnpolledQueue;
  readonly progress?: { readonly waiting: WaitingInfo | null };
}

/** Returns what must be done before an upload or a sync continues; undefined if nothing must. */
export function waitOf({ unpolled, progress }: WaitingEvent): string | undefined {
  return unpolled ? unpolled.reason : describeWait(progress?.waiting ?? null);
}

/** As `waitOf`, and if nothing responds. */
export function waitOrSilenceOf(event: WaitingEvent): string | undefined {
  return waitOf(event) ?? (event.type === 'no-answer' ? NOBODY_ANSWERS : undefined);
}
