import type { Client } from '@temporalio/client';
import type { DestinationLimits } from '../../contracts/limits.ts';
import { WorkflowName } from '../../contracts/names.ts';
import { SearchAttributes } from '../../contracts/search-attributes.ts';
import type { SplitUploadRequest } from '../../contracts/split.ts';
import { queryText } from '../../core/show/attributes.ts';
import { splitSizeFor } from '../../core/upload/outlook.ts';
import { JobNotFoundError, SearchAttributesMissingError } from '../errors.ts';
import { JobHandle } from '../job-handle.ts';
import { listWorkflows } from '../lists/list-uploads.ts';
import type { PreparedSplit } from './prepare-upload.ts';
import { startedRequest } from './started-request.ts';

/** Uploads whose rate is measured, newest first. The median is not that of an upload that waited or was paused. */
const UPLOADS = 5;
/** Of a smaller upload, most of the time is not the transfer. */
const LEAST_BYTES = 8 * 1024 * 1024;
/** Maximum rows of the list that are read. */
const MAX_ROWS = 200;

export interface AutoSize {
  /** Median rate of the last uploads to the destination; undefined if Temporal has none. */
  readonly bytesPerSecond: number | undefined;
  /** Undefined for the maximum size. */
  readonly pieceSizeBytes: number | undefined;
}

/** The size of pieces for which a session is long enough at the rate of the last uploads to the destination. */
export async function autoSize(
  temporal: Client,
  taskQueue: string,
  destination: string,
  { sessionSeconds, maxFileBytes }: Pick<DestinationLimits, 'sessionSeconds' | 'maxFileBytes'>,
): Promise<AutoSize> {
  const bytesPerSecond = await recentRate(temporal, taskQueue, destination);
  const size = bytesPerSecond === undefined ? Infinity : splitSizeFor(bytesPerSecond, sessionSeconds * 1000);
  return { bytesPerSecond, pieceSizeBytes: size < maxFileBytes ? size : undefined };
}

/** Sets the size of the pieces. An upload that was started before keeps its size, so that it resumes. */
export async function withAutoSize(
  temporal: Client,
  job: PreparedSplit,
  { pieceSizeBytes }: AutoSize,
): Promise<PreparedSplit> {
  const started = await startedSize(temporal, job);
  const request = { ...job.request, pieceSizeBytes: started ? started.pieceSizeBytes : pieceSizeBytes };
  return { ...job, request };
}

async function startedSize(temporal: Client, { workflowId, again }: PreparedSplit) {
  try {
    const { status } = await new JobHandle(temporal, workflowId).describe();
    if (again && status === 'COMPLETED') return undefined;
    const request = (await startedRequest(temporal, workflowId)) as Partial<SplitUploadRequest> | undefined;
    return request && { pieceSizeBytes: request.pieceSizeBytes };
  } catch (error) {
    if (error instanceof JobNotFoundError) return undefined;
    throw error;
  }
}

async function recentRate(temporal: Client, taskQueue: string, destination: string): Promise<number | undefined> {
  const query = [
    `WorkflowType = "${WorkflowName.uploadFile}"`,
    'ExecutionStatus = "Completed"',
    `TaskQueue = ${queryText(taskQueue)}`,
    `${SearchAttributes.destination.name} = ${queryText(destination)}`,
  ].join(' AND ');
  const rates: number[] = [];
  let rows = 0;
  try {
    for await (const { startedAt, endedAt, bytes = 0 } of listWorkflows(temporal, query)) {
      const elapsedMs = endedAt === undefined ? 0 : endedAt.getTime() - startedAt.getTime();
      if (bytes >= LEAST_BYTES && elapsedMs > 0) rates.push((bytes / elapsedMs) * 1000);
      rows += 1;
      if (rates.length === UPLOADS || rows === MAX_ROWS) break;
    }
  } catch (error) {
    if (error instanceof SearchAttributesMissingError) return undefined;
    throw error;
  }
  return rates.toSorted((one, other) => one - other)[Math.floor(rates.length / 2)];
}
