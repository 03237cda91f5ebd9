import type { JobHandle } from '../../../client/job-handle.ts';
import { startJob } from '../../../client/start-job.ts';
import { JobIdTakenError } from '../../../client/errors.ts';
import type { LonghaulClient } from '../../../client/longhaul-client.ts';
import { isOutdated, OUTDATED } from '../../../client/temporal-faults.ts';
import { hasWorkers } from '../../../client/queues/queue-workers.ts';
import type { Config } from '../../../config/config.ts';
import { requireDestination } from '../../../config/destinations.ts';
import { Defaults } from '../../../contracts/limits.ts';
import { QueryName, transferTaskQueue } from '../../../contracts/names.ts';
import { formatBytes, formatCount } from '../../../core/text/format.ts';
import { ConfigError } from '../../../errors.ts';
import { noteAttached } from './attached.ts';
import { withBackend, type Backend } from '../../backend.ts';
import { checkDestination } from '../../checks/check-destination.ts';
import { checkRequests, type CheckedRequest } from '../../checks/check-requests.ts';
import type { CliContext } from '../../context.ts';
import { establishHost } from '../../checks/establish-host.ts';
import { errorText, Interrupted, FilesFailedError } from '../../errors/exit.ts';
import { expandFiles, type ExpandedFiles } from './expand-files.ts';
import { followAll } from './follow.ts';
import { isEmpty, namedBy, type NamedSources } from '../../../sources/named-sources.ts';
import { Sources } from '../../../sources/sources.ts';
import { findPipes } from '../../sources/spool/pipe-arguments.ts';
import { SourceCopies } from '../../sources/spool/source-copies.ts';
import { NamedRecords } from '../../sources/named-records.ts';
import { commandSources, sourceSettingsOf } from '../../sources/source-settings.ts';
import { SpoolFolder } from '../../sources/spool/folder.ts';
import { sourceOf, tellDetached, tellOutcomes } from './outcomes.ts';
import { checkUploadOptions, type UploadCommandOptions } from './options.ts';

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
  const pipes = await findPipes(files, sourceSettingsOf(config).files ?? {});
  checkUploadOptions(config, files, pipes, options, destination);
  if (options.limit !== undefined && files.length > 1 && !options.quiet) {
    const rate = `${formatBytes(options.limit)}/s`;
    note(
      `--limit ${rate} is the rate of each of the ${files.length} uploads. To limit their sum, set LONGHAUL_LIMIT for the worker.`,
    );
  }
  const spools = new SpoolFolder(config.stateDir);
  const copies = new SourceCopies(context, spools, options, files, pipes);
  const sources = files.map(sourceOf);
  try {
    await uploadFiles(context, spools, { copies, sources, onStarted: printSkipped }, options, destination);
  } catch (error) {
    if (!(await copies.tellEnd(error)) && error instanceof Interrupted) {
      note('longhaul: interrupted; the same command goes on from the recorded parts');
    }
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
  readonly copies: SourceCopies;
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
  const { copies } = files;
  const planned = await checkRequests(context, spools, copies.targets, options);
  await copies.assertPossible();

  const needsWorker = !options.detach && config.temporal === undefined;
  const records = new NamedRecords(config);
  await withBackend(context, { destination, needsWorker }, async (backend) => {
    if (options.detach || !backend.isEmbedded) await assertWorkers(backend, planned, config.host, options);
    else await checkDestination(requireDestination(config, destination), backend, idsOf(planned));
    if (copies.areNeeded && options.id !== undefined) await assertIdFree(backend, options.id, options.again);

    // What can be read only once is read when everything else is known to be good.
    const paths = await copies.make();
    if (backend.uiUrl && !options.quiet) note(`Temporal UI: ${backend.uiUrl}`);
    const requests = copies.areNeeded
      ? await checkRequests(
          context,
          spools,
          paths.map((path) => ({ path })),
          options,
        )
      : planned;
    // Workers that run elsewhere on this machine read copies for their commands, and nothing else that is in no list.
    const sources = requests.map(({ prepared }) => prepared.request.source);
    const workflowIds = idsOf(requests);
    const named = namedBy(needsWorker ? sources : sources.filter((source) => spools.has(source)));
    if (!isEmpty(named)) await records.add(named, workflowIds);
    const handles: JobHandle<'upload' | 'split'>[] = [];
    for (const { options: request, prepared } of requests) {
      const handle = await startJob(backend.client.temporal, backend.client.taskQueue, prepared);
      handles.push(handle);
      if (request.file !== undefined) await spools.use(request.file, handle.workflowId);
    }
    await spools.sweep((workflowId) => statusOf(backend, workflowId)).catch(() => {});
    await records.sweep(backend.client).catch(() => {});
    const uploads = handles.map((handle, index) => ({
      handle,
      ...(requests[index] as CheckedRequest),
      source: files.sources[index] as string,
    }));
    files.onStarted();
    if (options.detach) {
      await noteAttached(context, backend, uploads, options);
      return tellDetached(context, uploads, options);
    }

    await serve(context, backend, handles, named, options);
    await restartOutdated(context, backend, uploads);
    await noteAttached(context, backend, uploads, options);
    const outcomes = await followAll(context, uploads, options);
    for (const [index, { result }] of outcomes.entries()) if (result) await spools.release(paths[index] as string);
    await records.removeEnded(workflowIds, backend.client).catch(() => {});
    tellOutcomes(context, outcomes, options);
  });
}

function idsOf(requests: readonly CheckedRequest[]): string[] {
  return requests.map(({ prepared }) => prepared.workflowId);
}

/** On the embedded server, no other worker can continue what this version cannot. */
async function restartOutdated(
  { note }: CliContext,
  { client, isEmbedded }: Backend,
  uploads: readonly { handle: JobHandle<'upload' | 'split'>; readonly prepared: CheckedRequest['prepared'] }[],
): Promise<void> {
  if (!isEmbedded) return;
  for (const upload of uploads) {
    const { workflowId, resumed } = upload.handle;
    if (!resumed || (await statusOf({ client }, workflowId)) !== 'RUNNING') continue;
    if (!(await cannotBeContinued(client, workflowId))) continue;
    note(
      `${workflowId}: another version of Longhaul started this upload, and this one cannot continue it. Starting it again.`,
    );
    await client.temporal.workflow.getHandle(workflowId).terminate(OUTDATED);
    upload.handle = await startJob(client.temporal, client.taskQueue, upload.prepared);
  }
}

/** A worker that cannot replay an upload fails its queries at once. */
const QUERY_TIMEOUT_MS = 5000;

async function cannotBeContinued({ temporal: client }: LonghaulClient, workflowId: string): Promise<boolean> {
  const handle = client.workflow.getHandle(workflowId);
  return client
    .withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query(QueryName.progress))
    .then(() => false, isOutdated);
}

async function statusOf({ client }: Pick<Backend, 'client'>, workflowId: string): Promise<string | undefined> {
  return client
    .getHandle(workflowId)
    .describe()
    .then(({ status }) => status)
    .catch(() => undefined);
}

/** The upload of a copy that is not made yet cannot be the same as one that has the ID already. */
async function assertIdFree(backend: Backend, id: string, again: boolean | undefined): Promise<void> {
  const status = await statusOf(backend, id);
  if (status === 'RUNNING' || (status === 'COMPLETED' && !again)) throw new JobIdTakenError(id, 'upload');
}

/** Without a worker an upload would wait for ever, and nobody would know why. */
async function assertWorkers(
  { client, isEmbedded }: Backend,
  requests: readonly CheckedRequest[],
  host: string,
  options: UploadCommandOptions,
): Promise<void> {
  const isLocal = requests.some(({ options: { file } }) => file !== undefined);
  const transferQueue = options.transferQueue ?? transferTaskQueue(client.taskQueue, isLocal ? host : undefined);
  const control = await hasWorkers(client.temporal, client.taskQueue, 'workflow');
  if (control && (await hasWorkers(client.temporal, transferQueue, 'activity'))) return;
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
  handles: readonly JobHandle<'upload' | 'split'>[],
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
