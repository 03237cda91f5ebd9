import type { UploadHandle } from '../../client/upload-handle.ts';
import type { UploadResult } from '../../contracts/upload.ts';
import { prepareUpload, type UploadOptions } from '../../client/prepare-upload.ts';
import { UploadFailedError } from '../../client/upload-errors.ts';
import { hasWorkers } from '../../client/has-workers.ts';
import { requireDestination } from '../../config.ts';
import { Defaults, KnownPurposes } from '../../contracts/limits.ts';
import { transferTaskQueue } from '../../contracts/names.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { ConfigError } from '../../errors.ts';
import { withBackend, type Backend } from '../backend.ts';
import { checkDestination } from '../check-destination.ts';
import type { CliContext } from '../context.ts';
import { Interrupted } from '../exit.ts';
import { expandFiles } from '../expand-files.ts';
import { FilesFailedError } from '../files-failed-error.ts';
import { createProgressView, type ProgressView } from '../progress-view.ts';

export interface UploadCommandOptions {
  readonly purpose: string;
  readonly filename?: string;
  readonly partSize?: number;
  readonly concurrency?: number;
  readonly destination?: string;
  readonly id?: string;
  readonly md5: boolean;
  readonly again?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

interface Outcome {
  readonly name: string;
  readonly handle: UploadHandle;
  readonly result?: UploadResult;
  readonly error?: unknown;
}

export async function uploadCommand(
  context: CliContext,
  names: readonly string[],
  options: UploadCommandOptions,
): Promise<void> {
  const { config, note } = context;
  const destination = options.destination ?? Defaults.destination;
  const { files, skipped } = await expandFiles(names);
  for (const words of skipped) note(`longhaul: skipped ${words}`);
  const tellSkipped = () => {
    if (skipped.length > 0) throw new FilesFailedError(`${skipped.length} files were skipped`);
  };
  if (files.length === 0) return tellSkipped();
  const requests = await checkRequests(context, files, options, destination);

  await withBackend(context, { destination }, async (backend) => {
    if (backend.uiUrl && !options.quiet) note(`Temporal UI: ${backend.uiUrl}`);
    if (options.detach || !backend.isEmbedded) await assertWorkers(backend, config.host, options);
    else await checkDestination(requireDestination(config, destination), backend, requests, config.host);

    const handles: UploadHandle[] = [];
    for (const request of requests) handles.push(await backend.client.upload(request));
    if (options.detach) {
      tellDetached(context, handles, options);
      return tellSkipped();
    }

    await serve(context, backend, handles, options);
    const view = createProgressView(viewKind(options), note);
    let outcomes: Outcome[];
    try {
      outcomes = await Promise.all(
        handles.map((handle, index) => follow(handle, labelOf(requests[index] as UploadOptions), view, context.signal)),
      );
    } catch (error) {
      view.close();
      if (error instanceof Interrupted) note('longhaul: interrupted; the same command goes on from the recorded parts');
      throw error;
    }
    view.close();
    tellOutcomes(context, outcomes, options);
    tellSkipped();
  });
}

/** Whatever can be known to be wrong is said before Temporal is asked for. */
async function checkRequests(
  { config }: CliContext,
  files: readonly string[],
  options: UploadCommandOptions,
  destination: string,
): Promise<UploadOptions[]> {
  if (files.length > 1 && (options.id ?? options.filename) !== undefined) {
    throw new ConfigError('--id and --filename go with one file');
  }
  const known = config.destinations.get(destination);
  const purposes: string[] = [...KnownPurposes, ...(known?.purposes ?? [])];
  if (!purposes.includes(options.purpose)) {
    throw new ConfigError(`unknown purpose "${options.purpose}"; known: ${purposes.join(', ')}`);
  }
  // On an existing Temporal the workers hold the destinations and their keys.
  if (!config.temporal) requireDestination(config, destination);
  const requests = files.map((file) => toUploadOptions(file, options, known?.baseUrl));
  for (const request of requests) await prepareUpload(request, config.host);
  return requests;
}

function toUploadOptions(file: string, options: UploadCommandOptions, baseUrl: string | undefined): UploadOptions {
  const { purpose, filename, partSize, concurrency, destination, id, md5, again } = options;
  return {
    file,
    purpose,
    md5,
    ...(filename === undefined ? {} : { filename }),
    ...(partSize === undefined ? {} : { partSizeBytes: partSize }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(destination === undefined ? {} : { destination }),
    ...(id === undefined ? {} : { id }),
    ...(again === undefined ? {} : { again }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  };
}

/** Without a worker an upload would wait for ever, and nobody would know why. */
async function assertWorkers(
  { client, isEmbedded }: Backend,
  host: string,
  options: UploadCommandOptions,
): Promise<void> {
  const transferQueue = transferTaskQueue(client.taskQueue, host);
  const control = await hasWorkers(client.client, client.taskQueue, 'workflow');
  if (control && (await hasWorkers(client.client, transferQueue, 'activity'))) return;
  const queue = control ? transferQueue : client.taskQueue;
  const advice = isEmbedded
    ? 'run "longhaul worker" in another terminal with the same environment, or leave out --detach'
    : 'start "longhaul worker" on this machine with the same TEMPORAL_ADDRESS';
  throw new ConfigError(
    `no worker serves the task queue ${queue}${options.detach ? ', so nothing would carry the upload' : ''}: ${advice}`,
  );
}

/** On the embedded server this command is its own worker, for the queue that its uploads were started on. */
async function serve(
  { config, note }: CliContext,
  backend: Backend,
  handles: readonly UploadHandle[],
  options: UploadCommandOptions,
): Promise<void> {
  if (!backend.isEmbedded) return;
  const running = (await Promise.all(handles.map((handle) => handle.describe()))).filter(
    ({ status }) => status === 'RUNNING',
  );
  if (running.length === 0) return;
  const own = new Set(handles.map((handle) => handle.workflowId));
  const transferSlots = options.concurrency ?? config.transferSlots;
  for (const taskQueue of new Set(running.map((upload) => upload.taskQueue))) {
    const worker = await backend.startWorker({ taskQueue, transferSlots });
    void worker.run().catch((error: unknown) => note(`longhaul: the worker ended: ${(error as Error).message}`));
    for await (const { workflowId } of backend.client.list({ running: true, taskQueue })) {
      if (!own.has(workflowId) && !options.quiet) {
        note(`an earlier upload goes on as well: ${workflowId} ("longhaul cancel ${workflowId}" ends it)`);
      }
    }
  }
}

async function follow(handle: UploadHandle, name: string, view: ProgressView, signal: AbortSignal): Promise<Outcome> {
  const watching = new AbortController();
  const watch = async () => {
    for await (const event of handle.progress({ signal: AbortSignal.any([signal, watching.signal]) })) {
      if (!watching.signal.aborted) view.show(name, event);
    }
  };
  const watched = watch().catch(() => {});
  try {
    return { name, handle, result: await handle.result({ signal }) };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    return { name, handle, error };
  } finally {
    watching.abort();
    await watched;
  }
}

function viewKind({ quiet }: UploadCommandOptions): 'bars' | 'lines' | 'quiet' {
  if (quiet) return 'quiet';
  return process.stderr.isTTY ? 'bars' : 'lines';
}

function labelOf({ file = '', filename }: UploadOptions): string {
  return filename ?? (file.split('/').at(-1) as string);
}

function tellDetached(
  { out, note }: CliContext,
  handles: readonly UploadHandle[],
  { json, quiet }: UploadCommandOptions,
): void {
  const started = handles.map(({ workflowId, resumed }) => ({ workflowId, resumed }));
  if (json) out(JSON.stringify(started.length === 1 ? started[0] : { uploads: started }));
  else for (const { workflowId } of started) out(workflowId);
  if (!quiet) note('the upload goes on by itself; "longhaul status ID" shows how far it is');
}

function tellOutcomes({ out, note }: CliContext, outcomes: readonly Outcome[], options: UploadCommandOptions): void {
  for (const { name, handle, result } of outcomes) {
    if (!result || options.quiet) continue;
    const rate = formatBytes(result.bytes / Math.max(result.durationMs / 1000, 0.001));
    const again = result.partsSent - result.parts;
    const words = [
      `${formatBytes(result.bytes)} in ${formatDuration(result.durationMs)} (${rate}/s)`,
      `${result.parts} parts`,
    ];
    if (again > 0) words.push(`${again} sent again`);
    if (handle.resumed) words.push('begun by an earlier command');
    note(`${name}: ${words.join(' · ')}`);
  }
  if (options.json) {
    const rows = outcomes.map(toJson);
    out(JSON.stringify(rows.length === 1 ? rows[0] : { uploads: rows }));
  } else {
    for (const { result } of outcomes)
      if (result) out(outcomes.length === 1 ? result.file.id : `${result.file.id}\t${result.file.filename}`);
  }
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const [first] = failed;
  if (!first) return;
  for (const { name, error } of failed.slice(1)) note(`longhaul: ${name}: ${(error as Error).message}`);
  throw first.error;
}

function toJson({ handle, result, error }: Outcome): object {
  const { workflowId, resumed } = handle;
  if (result) return { ...result, resumed };
  const type = error instanceof UploadFailedError ? error.failureType : (error as { code?: string }).code;
  return { workflowId, resumed, error: { type, message: (error as Error).message } };
}
