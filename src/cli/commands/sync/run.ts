import { resolve } from 'node:path';
import { hasWorkers } from '../../../client/queues/queue-workers.ts';
import { prepareSync, type SyncOptions } from '../../../client/prepare/prepare-sync.ts';
import { startedRequest } from '../../../client/prepare/started-request.ts';
import { JobIdTakenError, JobNotFoundError } from '../../../client/errors.ts';
import type { JobHandle } from '../../../client/job-handle.ts';
import { requireDestination } from '../../../config/destinations.ts';
import { Defaults } from '../../../contracts/limits.ts';
import { transferTaskQueue } from '../../../contracts/names.ts';
import type { SyncRequest, SyncResult } from '../../../contracts/sync.ts';
import { describeCounts } from '../../../core/show/describe-sync.ts';
import { formatBytes, formatCount, formatDuration } from '../../../core/text/format.ts';
import { ConfigError } from '../../../errors.ts';
import { namedBy, type NamedSources } from '../../../sources/named-sources.ts';
import { withBackend, type Backend } from '../../backend.ts';
import { askDestination } from '../../checks/check-destination.ts';
import { confirm } from '../../text/confirm.ts';
import type { CliContext } from '../../context.ts';
import { establishHost } from '../../checks/establish-host.ts';
import { errorText, Interrupted, FilesFailedError } from '../../errors/exit.ts';
import { jsonErrorOf } from '../../errors/json-errors.ts';
import { NamedRecords } from '../../sources/named-records.ts';
import { syncDifferences } from '../../checks/running-differences.ts';
import { commandSources } from '../../sources/source-settings.ts';
import { toSyncRequest, type SyncOptions as SyncFlags } from './options.ts';
import { createLiveView } from '../../job/live-view.ts';
import { describeDecision, describeUnmatched } from './describe.ts';

export interface SyncCommandOptions extends SyncFlags {
  readonly id?: string;
  /** Where links of the folder can lead besides. */
  readonly root?: readonly string[];
  readonly yes?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const NAMED_DELETIONS = 20;

export async function syncCommand(context: CliContext, source: string, options: SyncCommandOptions): Promise<void> {
  await establishHost(context);
  const { config, note, stdin } = context;
  const request = await toSyncRequest(source, options, config);
  const asks = request.delete === true && !request.dryRun && !options.yes;
  if (asks && !stdin.isTTY) {
    throw new ConfigError(
      '--delete asks before it deletes, and there is no terminal: add --yes, or see with --dry-run',
    );
  }
  const destination = request.destination ?? Defaults.destination;
  // On an existing Temporal the workers hold the destinations and their keys.
  if (!config.temporal) requireDestination(config, destination);
  const baseUrl = config.destinations.get(destination)?.baseUrl;
  const sync: SyncOptions = {
    ...request,
    id: options.id,
    baseUrl,
  };

  const needsWorker = !options.detach && config.temporal === undefined;
  await withBackend(context, { destination, needsWorker }, async (backend) => {
    if (backend.uiUrl && !options.quiet) note(`Temporal UI: ${backend.uiUrl}`);
    if (options.detach || !backend.isEmbedded) await assertWorkers(backend, request, config.host);
    else await checkDestination(context, backend, sync, destination);
    const named = namedBy([request.source]);
    named.paths.push(...(options.root ?? []).map((directory) => resolve(directory)));
    const runner = new SyncRunner(context, backend, named, options);
    if (needsWorker) await runner.record(sync);
    if (asks && !(await runner.agrees(sync))) {
      note('nothing was changed');
      if (options.json) context.json({ workflowId: runner.workflowId, declined: true });
      return;
    }
    await runner.run(sync);
  });
}

/** Runs syncs on one backend; on the embedded server with a worker of its own. */
class SyncRunner {
  readonly #context: CliContext;
  readonly #backend: Backend;
  readonly #named: NamedSources;
  readonly #options: SyncCommandOptions;
  readonly #records: NamedRecords;
  #workflowIds: readonly string[] = [];
  #hasWorker = false;

  constructor(context: CliContext, backend: Backend, named: NamedSources, options: SyncCommandOptions) {
    this.#context = context;
    this.#backend = backend;
    this.#named = named;
    this.#options = options;
    this.#records = new NamedRecords(context.config);
  }

  /** Undefined before `record`. */
  get workflowId(): string | undefined {
    return this.#workflowIds[0];
  }

  /** Says to other workers of this user what the sync reads. */
  async record(sync: SyncOptions): Promise<void> {
    const { workflowId } = await prepareSync(sync, this.#context.config.host);
    this.#workflowIds = [workflowId];
    await this.#records.sweep(this.#backend.client).catch(() => {});
    await this.#records.add(this.#named, this.#workflowIds);
  }

  /** Shows what would be deleted and asks; a run without deletions needs no question. */
  async agrees(sync: SyncOptions): Promise<boolean> {
    const handle = await this.#start({ ...sync, dryRun: true });
    await this.#serve(handle);
    const { decisions = [], counts } = await handle.result({ signal: this.#context.signal });
    if (counts.toDelete === 0) return true;
    const gone = decisions.filter(({ action }) => action === 'delete');
    for (const decision of gone.slice(0, NAMED_DELETIONS)) this.#context.note(describeDecision(decision));
    if (counts.toDelete > NAMED_DELETIONS) this.#context.note(`… and ${counts.toDelete - NAMED_DELETIONS} more`);
    const files = counts.toDelete === 1 ? 'this File' : `these ${counts.toDelete} Files`;
    return confirm(this.#context, `delete ${files}?`);
  }

  async run(sync: SyncOptions): Promise<void> {
    const { out, note, signal } = this.#context;
    const { json, quiet, detach } = this.#options;
    const handle = await this.#start(sync);
    const { workflowId, resumed } = handle;
    if (detach) {
      if (json) this.#context.json({ workflowId, resumed });
      else out(workflowId);
      if (!quiet) note('the sync goes on by itself; "longhaul status ID" shows how far it is');
      return;
    }
    if (resumed && !quiet) note(`an earlier run goes on: ${workflowId}`);
    await this.#serve(handle);
    try {
      const result = await this.#follow(handle, signal);
      await this.#records.removeEnded(this.#workflowIds, this.#backend.client).catch(() => {});
      this.#tell(handle, result);
    } catch (error) {
      if (json && !(error instanceof FilesFailedError)) {
        this.#context.json({ workflowId, resumed, error: jsonErrorOf(error) });
      }
      if (error instanceof Interrupted) note('longhaul: interrupted; the same command goes on');
      throw error;
    }
  }

  async #start(sync: SyncOptions): Promise<JobHandle<'sync'>> {
    const { client } = this.#backend;
    try {
      return await client.sync(sync);
    } catch (error) {
      if (!(error instanceof JobIdTakenError)) throw error;
      const { request, workflowId } = await prepareSync(sync, this.#context.config.host);
      // It is only information.
      const running = await startedRequest<SyncRequest>(client.temporal, workflowId).catch(() => undefined);
      const lines = running ? syncDifferences(workflowId, running, request) : [];
      for (const line of lines) this.#context.note(`${workflowId}: ${line}`);
      throw error;
    }
  }

  async #serve(handle: JobHandle<'sync'>): Promise<void> {
    if (!this.#backend.isEmbedded || this.#hasWorker) return;
    const { status, taskQueue } = await handle.describe();
    if (status !== 'RUNNING') return;
    this.#hasWorker = true;
    const { config } = this.#context;
    const { transferSlots } = config;
    const worker = await this.#backend.startWorker(commandSources(config, this.#named), { taskQueue, transferSlots });
    void worker.run().catch((error: unknown) => this.#context.note(`longhaul: the worker ended: ${errorText(error)}`));
  }

  async #follow(handle: JobHandle<'sync'>, signal: AbortSignal): Promise<SyncResult> {
    const { quiet } = this.#options;
    const { note, stderr } = this.#context;
    const kind = quiet ? 'quiet' : stderr.isTTY ? 'bars' : 'lines';
    const view = createLiveView(kind, note, stderr);
    const watching = new AbortController();
    const watch = async () => {
      for await (const event of handle.progress({ signal: AbortSignal.any([signal, watching.signal]) })) {
        if (!watching.signal.aborted) view.show('', event);
      }
    };
    const watched = watch().catch(() => {});
    try {
      return await handle.result({ signal });
    } finally {
      watching.abort();
      await watched;
      view.close();
    }
  }

  #tell(handle: JobHandle<'sync'>, result: SyncResult): void {
    const { out, note } = this.#context;
    const { json, quiet } = this.#options;
    const { memory: _memory, ...shown } = result;
    const {
      counts,
      problems,
      leftOut,
      postponed = [],
      unmatchedGlobs = [],
      deletionsHeld,
      memoryProblem,
      decisions = [],
      decisionsOmitted = 0,
    } = shown;
    if (memoryProblem !== undefined) note(`longhaul: ${memoryProblem}`);
    for (const one of unmatchedGlobs) note(`longhaul: ${describeUnmatched(one)}`);
    const more = (what: string, count: number, named: number) => {
      if (count > named) note(`${what}: ${count - named} more`);
    };
    for (const { path, message } of problems) note(`longhaul: ${path}: ${message}`);
    more('longhaul: failed', counts.failed, problems.length);
    if (!quiet) {
      for (const { path, message } of leftOut) note(`left out: ${path}: ${message}`);
      more('left out', counts.leftOut, leftOut.length);
      for (const { path, message } of postponed) note(`not sent: ${path}: ${message}`);
      more('not sent', counts.postponed ?? 0, postponed.length);
      if (deletionsHeld !== null)
        note(`${counts.deleted === 0 ? 'nothing' : 'not everything'} was deleted: ${deletionsHeld}`);
    }
    const failure =
      counts.failed > 0 ? new FilesFailedError(`${formatCount(counts.failed, 'file')} failed`) : undefined;
    const shownError = failure && { error: jsonErrorOf(failure) };
    if (json) this.#context.json({ ...shown, resumed: handle.resumed, ...shownError });
    else if (shown.dryRun) {
      for (const decision of decisions) if (decision.why !== 'same') out(describeDecision(decision));
      const { toSend, same, knownContent, toDelete, postponed: later = 0 } = counts;
      const left = later > 0 ? `, ${later} left for the next run` : '';
      const words = `would send ${toSend.files} (${formatBytes(toSend.bytes)}) and delete ${toDelete}; ${same} the same, ${knownContent} known by content${left}`;
      if (!quiet) note(decisionsOmitted > 0 ? `${words} (${decisionsOmitted} decisions are not shown)` : words);
    } else if (!quiet) note(`${describeCounts(counts)} in ${formatDuration(shown.durationMs)}`);
    if (failure) throw failure;
  }
}

/** A sync that runs already is left to its patience. */
async function checkDestination(
  { config }: CliContext,
  backend: Backend,
  sync: SyncOptions,
  destination: string,
): Promise<void> {
  const { workflowId } = await prepareSync(sync, config.host);
  try {
    const { status } = await backend.client.getHandle<'sync'>(workflowId).describe();
    if (status === 'RUNNING') return;
  } catch (error) {
    if (!(error instanceof JobNotFoundError)) throw error;
  }
  await askDestination(requireDestination(config, destination));
}

/** Without a worker a sync would wait for ever, and nobody would know why. */
async function assertWorkers({ client, isEmbedded }: Backend, { source }: SyncRequest, host: string): Promise<void> {
  const transferQueue = transferTaskQueue(client.taskQueue, source.type === 'folder' ? host : undefined);
  const control = await hasWorkers(client.temporal, client.taskQueue, 'workflow');
  if (control && (await hasWorkers(client.temporal, transferQueue, 'activity'))) return;
  const queue = control ? transferQueue : client.taskQueue;
  const advice = isEmbedded
    ? 'run "longhaul worker" in another terminal with the same environment, or leave out --detach'
    : 'start "longhaul worker" on this machine with the same TEMPORAL_ADDRESS';
  throw new ConfigError(`no worker serves the task queue ${queue}: ${advice}`);
}
