import type { Ended } from '../../../client/follow/read-end.ts';
import { JobFailedError } from '../../../client/errors.ts';
import type { JobResult } from '../../../client/jobs.ts';
import { describeCounts } from '../../../core/show/describe-sync.ts';
import { formatBytes, formatCount, formatDuration } from '../../../core/text/format.ts';
import { printable } from '../../../core/text/printable.ts';
import type { LonghaulError } from '../../../errors.ts';
import { errorText } from '../../errors/exit.ts';
import { jsonErrorOf } from '../../errors/json-errors.ts';
import { describePieces } from './view.ts';
import { filesOf } from '../upload/outcomes.ts';

/** Describes a closed upload or sync: one line, and one more for each File or piece of a split upload. */
export function describeEnded({ workflowId, status, result, error }: Ended): string[] {
  const state = status.toLowerCase().replaceAll('_', ' ');
  const [first, ...more] = result ? describeResult(result) : describeFailure(status, error);
  return [`${workflowId}: ${[state, ...(first ? [first] : [])].join(' · ')}`, ...more].map(printable);
}

/** Returns the JSON of a closed upload or sync. */
export function endedJson({ workflowId, status, result, error }: Ended): object {
  if (result) return { workflowId, status, result: withoutMemory(result) };
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

/** Describes the reason of a failure. Other states have no reason. */
function describeFailure(status: string, error: LonghaulError | undefined): string[] {
  if (status !== 'FAILED' || !(error instanceof JobFailedError)) return [];
  const { pieces } = error;
  return [`${error.failureType}: ${errorText(error)}`, ...(pieces ? describePieces(pieces) : [])];
}

/** Omits the memory of a sync, which only its next run reads. */
function withoutMemory(result: object): object {
  const { memory: _memory, ...rest } = result as { memory?: unknown };
  return rest;
}
