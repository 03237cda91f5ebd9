import type { ProgressHead, WaitingInfo } from '../../contracts/upload.ts';
import { formatBytes, formatDuration } from '../text/format.ts';
import { inlineCode } from '../text/markdown.ts';

const BAR_CELLS = 20;
/** Of a `Date`. */
const MAX_TIME_MS = 8.64e15;

/** 20 cells, full only if all bytes are recorded. */
export function progressBar(done: number, total: number): string {
  const filled = total > 0 ? Math.min(Math.floor((done / total) * BAR_CELLS), BAR_CELLS) : 0;
  return `\`${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)}\``;
}

/** Whole seconds: `2026-11-23T02:00:07Z`. */
export function formatTime(ms: number): string {
  // The value comes from a service or a caller. An error here would stop the workflow.
  if (!(Math.abs(ms) <= MAX_TIME_MS)) return 'an unknown time';
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The first lines of every page: state, name and time, and the bytes that are done. */
export function headLines({ state, filename, bytesTotal, bytesDone }: ProgressHead, nowMs: number): string[] {
  const name = filename === '' ? [] : [inlineCode(filename)];
  const lines = [[`**${state}**`, ...name, `as of ${formatTime(nowMs)}`].join(' · ')];
  if (bytesTotal > 0) {
    const percent = Math.floor((bytesDone / bytesTotal) * 100);
    const amounts = `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
    lines.push(`${progressBar(bytesDone, bytesTotal)} ${percent}% · ${amounts}`);
  }
  return lines;
}

/** @returns no lines if the rate is unknown or zero */
export function paceLines(bytesLeft: number, bytesPerSecond: number | undefined, nowMs: number): string[] {
  if (bytesPerSecond === undefined || bytesPerSecond <= 0 || bytesLeft === 0) return [];
  const leftMs = (bytesLeft / bytesPerSecond) * 1000;
  return [
    `${formatBytes(bytesPerSecond)}/s over the last minute, about ${formatDuration(leftMs)} left (until ${formatTime(nowMs + leftMs)})`,
  ];
}

/** The reason of a wait, and the action of an operator. */
export function waitingLines({ reason, failureType, sinceMs, nextProbeAtMs }: WaitingInfo): string[] {
  return [
    `**Waiting** since ${formatTime(sinceMs)} (${inlineCode(failureType)}): ${inlineCode(reason)}`,
    `Next automatic retry: ${formatTime(nextProbeAtMs)}. After you fix the cause, send the update \`retry\` to retry now`,
  ];
}
