import { listWorkflows } from '../../../client/lists/list-uploads.ts';
import { startedRequest } from '../../../client/prepare/started-request.ts';
import { configuredLimits } from '../../../config/destinations.ts';
import { openAiLimits } from '../../../contracts/limits.ts';
import { WorkflowName } from '../../../contracts/names.ts';
import { SearchAttributes } from '../../../contracts/search-attributes.ts';
import type { SplitUploadRequest } from '../../../contracts/split.ts';
import { queryText } from '../../../core/show/attributes.ts';
import { formatBytes, optionBytes } from '../../../core/text/format.ts';
import { splitSizeFor } from '../../../core/upload/outlook.ts';
import { JobNotFoundError, SearchAttributesMissingError } from '../../../client/errors.ts';
import type { Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import type { UploadJob } from '../../job/command-job.ts';

/** Uploads whose rate is measured, newest first. The median is not that of an upload that waited or was paused. */
const UPLOADS = 5;
/** Of a smaller upload, most of the time is not the transfer. */
const LEAST_BYTES = 8 * 1024 * 1024;
/** Maximum rows of the list that are read. */
const MAX_ROWS = 200;

/**
 * Sets the piece size of jobs with `--split auto`: so that a session is long enough at the rate of the last uploads to the
 * destination. A job that was started before keeps its size, so that it resumes.
 */
export async function withAutoSizes(
  { config, note }: Pick<CliContext, 'config' | 'note'>,
  { client }: Backend,
  jobs: readonly UploadJob[],
  { destination, purpose, quiet }: { destination: string; purpose: string; quiet?: boolean | undefined },
): Promise<UploadJob[]> {
  const bytesPerSecond = await recentRate(client, destination);
  const limits = configuredLimits(config, destination, purpose);
  const { sessionSeconds, maxFileBytes } = limits ?? openAiLimits;
  const sufficient = bytesPerSecond === undefined ? undefined : splitSizeFor(bytesPerSecond, sessionSeconds * 1000);
  const size = sufficient !== undefined && sufficient < maxFileBytes ? sufficient : undefined;
  if (!quiet) {
    const rate = bytesPerSecond === undefined ? 'unknown' : `${formatBytes(bytesPerSecond)}/s`;
    const words = size === undefined ? 'the maximum size' : `at most ${optionBytes(size)}`;
    note(`--split auto: Files of ${words}. The rate of the last uploads to "${destination}" is ${rate}.`);
  }
  const sized: UploadJob[] = [];
  for (const job of jobs) {
    const started = await startedSize(client, job);
    const pieceSizeBytes = started === undefined ? size : started.pieceSizeBytes;
    const request = { ...job.prepared.request, pieceSizeBytes } as SplitUploadRequest;
    const options = { ...job.options, pieceSizeBytes };
    sized.push({ ...job, options, prepared: { ...job.prepared, request } });
  }
  return sized;
}

async function startedSize(
  client: Backend['client'],
  { prepared: { workflowId }, options: { again } }: UploadJob,
): Promise<{ readonly pieceSizeBytes: number | undefined } | undefined> {
  try {
    const { status } = await client.getHandle(workflowId).describe();
    if (again && status === 'COMPLETED') return undefined;
    const request = (await startedRequest(client.temporal, workflowId)) as Partial<SplitUploadRequest> | undefined;
    return request && { pieceSizeBytes: request.pieceSizeBytes };
  } catch (error) {
    if (error instanceof JobNotFoundError) return undefined;
    throw error;
  }
}

/** The median rate of the last uploads to a destination, in bytes per second; undefined if Temporal has none. */
async function recentRate(client: Backend['client'], destination: string): Promise<number | undefined> {
  const query = [
    `WorkflowType = "${WorkflowName.uploadFile}"`,
    'ExecutionStatus = "Completed"',
    `TaskQueue = ${queryText(client.taskQueue)}`,
    `${SearchAttributes.destination.name} = ${queryText(destination)}`,
  ].join(' AND ');
  const rates: number[] = [];
  let rows = 0;
  try {
    for await (const { startedAt, endedAt, bytes = 0 } of listWorkflows(client.temporal, query)) {
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
