import { JobFailedError } from '../../../client/errors.ts';
import type { Ended } from '../../../client/follow/read-end.ts';
import type { JobProgress, JobStatus, JobResult } from '../../../client/jobs.ts';
import type { SplitUploadProgress } from '../../../contracts/split.ts';
import { describeCounts } from '../../../core/show/describe-sync.ts';
import { formatBytes, formatCount, formatDuration } from '../../../core/text/format.ts';
import { printable } from '../../../core/text/printable.ts';
import { errorText, jsonErrorOf } from '../../errors.ts';
import { progressWords } from '../../text/progress.ts';
import { filesOf } from '../upload/outcomes.ts';

type Shown = JobProgress & Partial<Pick<JobStatus, 'bytesSent' | 'unpolled' | 'pausedActivity'>>;

/** Describes a job on one line, and each piece of a split upload on one more. @param pace further texts of the first line */
export function describeJob(workflowId: string, progress: Shown, pace: readonly string[] = []): string[] {
  const first = [describeStatus(workflowId, progress), ...pace].join(' · ');
  return [first, ...(progress.kind === 'split' ? describePieces(progress.pieces) : [])];
}

/** Describes the state of a job on one line. */
export function describeStatus(workflowId: string, progress: Shown): string {
  const { state, waiting, unpolled, pausedActivity } = progress;
  const words = [
    `${workflowId}: ${state}`,
    ...(progress.kind === 'sync' ? syncWords(progress) : uploadWords(progress)),
  ];
  for (const one of [waiting, unpolled, pausedActivity]) if (one) words.push(`waiting: ${one.reason}`);
  if (progress.kind !== 'sync') words.push(...sessionWords(progress));
  return printable(words.join(' · '));
}

function syncWords(progress: Shown & JobProgress<'sync'>): string[] {
  const { counts, state, uploading, bytesDone, bytesSent = bytesDone } = progress;
  const words = [`${counts.listed.files} files (${formatBytes(counts.listed.bytes)})`];
  if (state === 'uploading' || state === 'paused') words.push(...progressWords(progress, bytesSent));
  words.push(describeCounts(counts));
  if (uploading.length > 0) words.push(`${uploading.length} uploading`);
  return words;
}

function uploadWords(progress: JobProgress<'upload' | 'split'>): string[] {
  const { bytesDone, bytesTotal, partsDone, partsTotal, partsInFlight, concurrency, limit } = progress;
  const words: string[] = [];
  if (bytesTotal > 0) {
    words.push(`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`);
    words.push(`${partsDone} of ${partsTotal} parts recorded, ${partsInFlight} in flight, at most ${concurrency}`);
  }
  const bytesPerSecond = limit?.bytesPerSecond ?? 0;
  if (bytesPerSecond > 0) words.push(`limited to ${formatBytes(bytesPerSecond)}/s`);
  return words;
}

function sessionWords({ session, orphanedSessions }: JobProgress<'upload' | 'split'>): string[] {
  const words: string[] = [];
  if (session) words.push(`Upload ${session.uploadId} expires ${new Date(session.expiresAt * 1000).toISOString()}`);
  if (orphanedSessions > 0) {
    words.push(`up to ${orphanedSessions} more sessions are open, because the response with their ID was lost`);
  }
  return words;
}

export function describePieces(pieces: SplitUploadProgress['pieces']): string[] {
  return pieces.map(({ number, state, filename, range, workflowId, fileId, message }) => {
    const words = [`  ${number}. ${state.padEnd(9)}  ${filename}`, formatBytes(range.sizeBytes)];
    const more = state === 'uploading' ? workflowId : (fileId ?? message);
    return printable([...words, ...(more === undefined ? [] : [more])].join(' · '));
  });
}

/** Describes a closed upload or sync: one line, and one more for each File or piece of a split upload. */
export function describeEnded({ workflowId, status, result, error }: Ended): string[] {
  const state = status.toLowerCase().replaceAll('_', ' ');
  // Other states than a failure have no reason.
  const failure = status === 'FAILED' && error instanceof JobFailedError ? error : undefined;
  const ofFailure = failure && [
    `${failure.failureType}: ${errorText(failure)}`,
    ...describePieces(failure.pieces ?? []),
  ];
  const [first, ...more] = result ? describeResult(result) : (ofFailure ?? []);
  return [`${workflowId}: ${[state, ...(first ? [first] : [])].join(' · ')}`, ...more].map(printable);
}

/** Returns the JSON of a closed upload or sync. */
export function endedJson({ workflowId, status, result, error }: Ended): object {
  if (result) {
    // Only the next run of a sync reads its memory.
    const { memory: _memory, ...shown } = result as { memory?: unknown };
    return { workflowId, status, result: shown };
  }
  if (!error) return { workflowId, status };
  const { pieces } = error as Partial<JobFailedError>;
  return { workflowId, status, error: jsonErrorOf(error), pieces };
}

function describeResult(result: JobResult): string[] {
  const took = `in ${formatDuration(result.durationMs)}`;
  if ('counts' in result) return [`${describeCounts(result.counts)} ${took}`];
  const files = filesOf(result);
  const size = `${formatBytes(result.bytes)} ${took}`;
  if (!('files' in result)) return [[size, ...files.map(({ id }) => id)].join(' · ')];
  const lines = files.map(({ id, filename }) => `  ${filename} · ${id}`);
  return [`${size} · ${formatCount(files.length, 'File')}`, ...lines];
}
