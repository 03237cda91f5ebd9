import { startedRequest } from '../../../client/prepare/started-request.ts';
import { Defaults } from '../../../contracts/limits.ts';
import type { Source } from '../../../contracts/sources.ts';
import type { UploadRequest } from '../../../contracts/upload.ts';
import { isAboutKey } from '../../../core/upload/reasons.ts';
import { isSameName } from '../../../core/text/name-form.ts';
import { shellWord } from '../../../core/text/shell-word.ts';
import { openSealedQuery } from '../../../sources/http/sealed-query.ts';
import { openingKeysOf } from '../../../sources/source-settings.ts';
import type { Backend } from '../../backend.ts';
import type { CliContext } from '../../context.ts';
import type { Started } from '../../job/command-job.ts';
import type { UploadJob } from './check-requests.ts';
import { completedDifferences, runningDifferences } from '../../checks/running-differences.ts';
import { sourceSettingsOf } from '../../sources/source-settings.ts';
import type { UploadCommandOptions } from './options.ts';

type Attached = Started<UploadJob>;

/**
 * Attaches a command to a running upload: reports options that are not in effect in the upload, and makes the upload retry
 * if it waits because of its key, because the command can have another key.
 */
export async function noteAttached(
  context: CliContext,
  backend: Backend,
  uploads: readonly Attached[],
  options: UploadCommandOptions,
): Promise<void> {
  for (const upload of uploads) {
    // These lines are optional. The upload itself reports its errors.
    await (
      upload.handle.resumed ? noteOne(context, backend, upload, options) : noteOther(context, backend, upload)
    ).catch(() => {});
  }
}

async function noteOne(
  context: CliContext,
  backend: Backend,
  { handle, options: own }: Attached,
  options: UploadCommandOptions,
): Promise<void> {
  const { client, isEmbedded } = backend;
  const { config } = context;
  const { workflowId } = handle;
  const { status, taskQueue } = await handle.describe();
  const note = (line: string) => context.note(`${workflowId}: ${line}`);
  if (status !== 'RUNNING' && status !== 'COMPLETED') return;
  const request = await startedRequest(client.temporal, workflowId);
  if (status === 'COMPLETED') {
    if (request) completedDifferences(request, own).forEach(note);
    return;
  }
  const progress = await handle.status().catch(() => undefined);
  // It has closed in the meantime.
  if (progress && ['completed', 'cancelled', 'failed'].includes(progress.state)) return;
  if (request) {
    // The client set it when it attached.
    const kept = own.ignoreInode ? { ...request, ignoreInode: true } : request;
    const running = { workflowId, request: kept, progress, query: queryOf(request.source, workflowId, context) };
    const query = own.url === undefined ? undefined : new URL(own.url).search.slice(1) || undefined;
    const isWorker = isEmbedded && !options.detach;
    runningDifferences(running, { request: own, query, isWorker }).forEach(note);
  }
  if (!isEmbedded || options.detach) return;
  if (config.taskQueue === undefined && taskQueue !== client.taskQueue) {
    note(
      'the key or the headers differ from those at the start of this upload. This command uses its own. ' +
        'Other running commands continue to use theirs.',
    );
  }
  const { failureType, status: httpStatus } = progress?.waiting ?? {};
  if (isAboutKey(failureType, httpStatus)) await handle.retry();
}

/** On the embedded server, another base URL makes another upload, and the first one stays unfinished. */
async function noteOther({ note }: CliContext, { client, isEmbedded }: Backend, { handle }: Attached): Promise<void> {
  if (!isEmbedded) return;
  const own = await startedRequest(client.temporal, handle.workflowId);
  if (!own) return;
  for await (const { workflowId, filename } of client.list({ running: true })) {
    if (workflowId === handle.workflowId || !isSameName(filename ?? '', own.filename ?? '')) continue;
    const other = await startedRequest(client.temporal, workflowId).catch(() => undefined);
    if (!other || !isSameContent(own, other)) continue;
    note(
      `${workflowId}: an earlier upload of the same file to another base URL is still open. ` +
        `To cancel it, run "longhaul cancel ${shellWord(workflowId)}".`,
    );
  }
}

function isSameContent(one: UploadRequest, other: UploadRequest): boolean {
  const key = ({ source, expectedFingerprint, purpose, destination = Defaults.destination }: UploadRequest) =>
    JSON.stringify([{ ...source, sealedQuery: undefined }, expectedFingerprint, purpose, destination]);
  return key(one) === key(other);
}

function queryOf(source: Source, workflowId: string, { config }: CliContext): string | undefined {
  if (source.type !== 'http' || source.sealedQuery === undefined) return undefined;
  return openSealedQuery(source.sealedQuery, { url: source.url, workflowId }, openingKeysOf(sourceSettingsOf(config)));
}
