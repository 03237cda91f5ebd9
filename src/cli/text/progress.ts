import type { PausedActivity } from '../../client/follow/pending.ts';
import type { JobProgress, UnpolledQueue } from '../../client/jobs.ts';
import { formatBytes, formatDuration } from '../../core/text/format.ts';
import stringWidth from 'string-width';
import { printable } from '../../core/text/printable.ts';
import { shellWord } from '../../core/text/shell-word.ts';
import { cutMiddle } from './wrap-text.ts';
import type { WaitingInfo } from '../../contracts/upload.ts';

/**
 * Describes the progress of a job in a few words, the most important first.
 *
 * @param bytesPerSecond undefined if it is unknown or not shown
 */
export function progressWords(progress: JobProgress, bytesSent: number, bytesPerSecond?: number): string[] {
  const { state, bytesTotal } = progress;
  if (progress.kind === 'sync' && state === 'deleting') {
    return [state, `${progress.counts.deleted} of ${progress.counts.toDelete}`];
  }
  const words = amountWords(progress, bytesSent);
  if (words.length === 0) return [state];
  if (state !== 'uploading') words.push(state);
  else if (bytesPerSecond) {
    const leftMs = ((bytesTotal - bytesSent) / bytesPerSecond) * 1000;
    words.push(`${formatBytes(bytesPerSecond)}/s`, `${formatDuration(Math.max(leftMs, 1000))} left`);
  }
  return words;
}

function amountWords(progress: JobProgress, bytesSent: number): string[] {
  const { bytesTotal } = progress;
  const amounts = `${formatBytes(bytesSent)} of ${formatBytes(bytesTotal)}`;
  if (progress.kind !== 'sync') {
    return bytesTotal === 0 ? [] : [`${Math.floor((bytesSent / bytesTotal) * 100)}%`, amounts];
  }
  const { toSend, sent, failed } = progress.counts;
  if (toSend.files === 0) return [];
  return [`${sent.files} of ${toSend.files} files`, amounts, ...(failed > 0 ? [`${failed} failed`] : [])];
}

/** The progress of one upload or sync, for one line. */
interface BarLine {
  readonly name?: string;
  /** 0 to 1. */
  readonly fraction: number;
  /** The most important first. If the terminal is narrow, the second is omitted first. */
  readonly words: readonly string[];
}

const BAR_WIDTHS = [24, 10, 0];
/** A longer name is cut in its middle, to this width at least. */
const MIN_NAME_WIDTH = 12;
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
      if (space < Math.min(nameWidth, MIN_NAME_WIDTH)) continue;
      return name ? `${cutMiddle(name, Math.max(space, 1))} ${rest}` : rest;
    }
  }
  return cutMiddle([name, line.words[0] ?? ''].filter(Boolean).join(' '), width);
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

/** Describes why an upload or a sync waits; undefined if it does not wait. */
function describeWait(waiting: WaitingInfo | null, workflowId: string): string | undefined {
  if (!waiting) return undefined;
  return `waiting: ${waiting.reason.replace(/\.$/, '')}. Retries automatically. To retry now, run "longhaul retry ${shellWord(workflowId)}".`;
}

const NO_RESPONSE = 'waiting for a response from a worker or Temporal';

interface WaitingEvent {
  readonly type: string;
  readonly reason?: string;
  readonly isLasting?: boolean;
  readonly isPaused?: boolean;
  readonly unpolled?: UnpolledQueue;
  readonly pausedActivity?: PausedActivity;
  readonly progress?: { readonly waiting: WaitingInfo | null };
}

/** Describes the required operator action before an upload or a sync continues; undefined if none is required. */
export function waitOf(
  { unpolled, pausedActivity, progress, isLasting, reason }: WaitingEvent,
  workflowId: string,
): string | undefined {
  const held = unpolled ?? pausedActivity;
  if (held) return held.reason;
  return isLasting ? reason : describeWait(progress?.waiting ?? null, workflowId);
}

/** Like `waitOf`, also if neither a worker nor Temporal responds. */
export function waitOrSilenceOf(event: WaitingEvent, workflowId: string): string | undefined {
  return (
    waitOf(event, workflowId) ?? (event.isPaused ? event.reason : event.type === 'no-answer' ? NO_RESPONSE : undefined)
  );
}
