import type { UploadHandle } from '../../client/upload-handle.ts';
import { prepareSplit, type SplitUploadOptions } from '../../client/prepare-split.ts';
import { prepareUpload, type PreparedUpload, type UploadOptions } from '../../client/prepare-upload.ts';
import { hasWorkers } from '../../client/has-workers.ts';
import type { Config } from '../../config.ts';
import { requireDestination } from '../../config-destinations.ts';
import { Defaults } from '../../contracts/limits.ts';
import { transferTaskQueue } from '../../contracts/names.ts';
import type { Source } from '../../contracts/sources.ts';
import { formatCount } from '../../core/format.ts';
import { ConfigError } from '../../errors.ts';
import { noteAttached } from '../attached-uploads.ts';
import { withBackend, type Backend } from '../backend.ts';
import { checkDestination } from '../check-destination.ts';
import type { CliContext } from '../context.ts';
import { establishHost } from '../establish-host.ts';
import { errorText, Interrupted } from '../exit.ts';
import { expandFiles, type ExpandedFiles } from '../expand-files.ts';
import { followAll } from '../follow-uploads.ts';
import { FilesFailedError } from '../files-failed-error.ts';
import { isEmpty, namedBy, type NamedSources } from '../../sources/named-sources.ts';
import { sealKeyOf } from '../../sources/source-settings.ts';
import { Sources } from '../../sources/sources.ts';
import { SourceCopies } from '../source-copies.ts';
import { NamedRecords } from '../named-records.ts';
import { commandSources, sourceSettingsOf } from '../source-settings.ts';
import { SpoolFolder } from '../spool-folder.ts';
import { sourceOf, tellDetached, tellOutcomes, type AnyResult } from '../upload-outcomes.ts';
import { checkUploadOptions, isSplit, toUploadOptions, type UploadCommandOptions } from '../upload-options.ts';

export async function uploadCommand(
  context: CliContext,
  names: readonly string[],
  options: UploadCommandOptions,
): Promise<void> {
  await establishHost(context);
  const { config, note } = context;
  const destination = options.destination ?? Defaults.destination;
  const { files, skipped } = await expand(config, names, options);
  for (const { path, message } of skipped) note(`longhaul: skipped ${path}: ${message}`);
  const printSkipped = () => {
    for (const { path, failureType: code, message } of skipped) {
      if (options.json) context.json({ source: path, error: { code, message } });
    }
  };
  const tellSkipped = () => {
    const were = skipped.length === 1 ? 'was' : 'were';
    if (skipped.length > 0) throw new FilesFailedError(`${formatCount(skipped.length, 'file')} ${were} skipped`);
  };
  if (files.length === 0) {
    printSkipped();
    return tellSkipped();
  }
  checkUploadOptions(config, files, options, destination);
  const spools = new SpoolFolder(config.stateDir);
  const copies = new SourceCopies(context, spools, options);
  const paths = await copies.replace(files);
  const sources = files.map(sourceOf);
  try {
    await uploadFiles(context, spools, { paths, sources, onStarted: printSkipped }, options, destination);
  } catch (error) {
    const isInterrupted = error instanceof Interrupted;
    if (copies.areMade) await copies.tellKept(isInterrupted ? 'longhaul: interrupted; ' : 'longhaul: ');
    else if (isInterrupted) note('longhaul: interrupted; the same command goes on from the recorded parts');
    throw error;
  }
  tellSkipped();
}

async function expand(config: Config, names: readonly string[], options: UploadCommandOptions): Promise<ExpandedFiles> {
  const sources = new Sources(sourceSettingsOf(config));
  try {
    return await expandFiles(names, { sources, connection: options.connection });
  } finally {
    await sources.close();
  }
}

interface NamedFiles {
  readonly paths: readonly string[];
  /** The arguments, as in `Outcome`. */
  readonly sources: readonly string[];
  /** When each upload has started. */
  readonly onStarted: () => void;
}

async function uploadFiles(
  context: CliContext,
  spools: SpoolFolder,
  files: NamedFiles,
  options: UploadCommandOptions,
  destination: string,
): Promise<void> {
  const { config, note } = context;
  const { requests, workflowIds, sources } = await checkRequests(context, files.paths, options, destination);

  const needsWorker = !options.detach && config.temporal === undefined;
  const records = new NamedRecords(config);
  // Workers that run elsewhere on this machine read copies for their commands, and nothing else that is in no list.
  const named = namedBy(needsWorker ? sources : sources.filter((source) => spools.has(source)));
  await withBackend(context, { destination, needsWorker }, async (backend) => {
    if (backend.uiUrl && !options.quiet) note(`Temporal UI: ${backend.uiUrl}`);
    if (options.detach || !backend.isEmbedded) await assertWorkers(backend, requests, config.host, options);
    else await checkDestination(requireDestination(config, destination), backend, workflowIds);

    if (!isEmpty(named)) await records.add(named, workflowIds);
    const handles: UploadHandle<AnyResult>[] = [];
    for (const request of requests) {
      const { client } = backend;
      const handle = isSplit(options) ? await client.uploadSplit(request) : await client.upload(request);
      handles.push(handle);
      if (request.file !== undefined) await spools.use(request.file, handle.workflowId);
    }
    await spools.sweep((workflowId) => statusOf(backend, workflowId)).catch(() => {});
    await records.sweep(backend.client).catch(() => {});
    const uploads = handles.map((handle, index) => ({
      handle,
      request: requests[index] as UploadOptions,
      source: files.sources[index] as string,
    }));
    files.onStarted();
    if (options.detach) {
      await noteAttached(context, backend, uploads, options);
      return tellDetached(context, uploads, options);
    }

    await serve(context, backend, handles, named, options);
    await noteAttached(context, backend, uploads, options);
    const outcomes = await followAll(context, uploads, options);
    for (const [index, { result }] of outcomes.entries())
      if (result) await spools.release(files.paths[index] as string);
    await records.removeEnded(workflowIds, backend.client).catch(() => {});
    tellOutcomes(context, outcomes, options);
  });
}

interface CheckedRequests {
  readonly requests: readonly SplitUploadOptions[];
  readonly workflowIds: readonly string[];
  readonly sources: readonly Source[];
}

async function checkRequests(
  { config }: CliContext,
  files: readonly string[],
  options: UploadCommandOptions,
  destination: string,
): Promise<CheckedRequests> {
  const baseUrl = config.destinations.get(destination)?.baseUrl;
  const requests = files.map((file) => toUploadOptions(file, options, baseUrl));
  const prepare = isSplit(options) ? prepareSplit : prepareUpload;
  const settings = sourceSettingsOf(config);
  const sources = new Sources(settings);
  try {
    const prepareContext = { host: config.host, sources, sealKey: sealKeyOf(settings) };
    const prepared: PreparedUpload[] = [];
    for (const request of requests) prepared.push(await prepare(request, prepareContext));
    return {
      requests,
      workflowIds: prepared.map(({ workflowId }) => workflowId),
      sources: prepared.map(({ request }) => request.source),
    };
  } finally {
    await sources.close();
  }
}

async function statusOf({ client }: Backend, workflowId: string): Promise<string | undefined> {
  return client
    .getHandle(workflowId)
    .describe()
    .then(({ status }) => status)
    .catch(() => undefined);
}

/** Without a worker an upload would wait for ever, and nobody would know why. */
async function assertWorkers(
  { client, isEmbedded }: Backend,
  requests: readonly UploadOptions[],
  host: string,
  options: UploadCommandOptions,
): Promise<void> {
  const isLocal = requests.some(({ file }) => file !== undefined);
  const transferQueue = options.transferQueue ?? transferTaskQueue(client.taskQueue, isLocal ? host : undefined);
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
  handles: readonly UploadHandle<AnyResult>[],
  named: NamedSources,
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
    const worker = await backend.startWorker(commandSources(config, named), { taskQueue, transferSlots });
    void worker.run().catch((error: unknown) => note(`longhaul: the worker ended: ${errorText(error)}`));
    for await (const { workflowId, parentId } of backend.client.list({ running: true, taskQueue })) {
      if (parentId === undefined && !own.has(workflowId) && !options.quiet) {
        note(`an earlier upload goes on as well: ${workflowId} ("longhaul cancel ${workflowId}" ends it)`);
      }
    }
  }
}
