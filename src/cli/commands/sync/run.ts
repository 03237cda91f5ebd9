import { resolve } from 'node:path';
import { JobIdTakenError } from '../../../client/errors.ts';
import { prepareSync, type PreparedSync, type SyncOptions } from '../../../client/prepare/prepare-sync.ts';
import { requireDestination } from '../../../config/destinations.ts';
import { Defaults } from '../../../contracts/limits.ts';
import type { SyncRequest, SyncResult, SyncDecision, UnmatchedGlob } from '../../../contracts/sync.ts';
import { describeCounts } from '../../../core/show/describe-sync.ts';
import { formatBytes, formatCount, formatDuration } from '../../../core/text/format.ts';
import { namedBy } from '../../../sources/named-sources.ts';
import { establishHost } from '../../checks/establish-host.ts';
import { syncDifferences } from '../../checks/running-differences.ts';
import type { CliContext } from '../../context.ts';
import { FilesFailedError, Interrupted, jsonErrorOf } from '../../errors.ts';
import type { CommandJob, Started } from '../../job/command-job.ts';
import { INTERRUPTED, runJobs, type JobRun } from '../../job/run-jobs.ts';
import { assertPromptable, confirm } from '../../text/terminal.ts';
import { toSyncRequest, type SyncOptions as SyncFlags } from './options.ts';

interface SyncCommandOptions extends SyncFlags {
  readonly id?: string;
  /** Directories outside the folder that links can lead to. */
  readonly root?: readonly string[];
  readonly yes?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const NAMED_DELETIONS = 20;

type SyncJob = CommandJob<PreparedSync>;
type SyncEnd = Started<SyncJob> & { readonly result: SyncResult };

export async function syncCommand(context: CliContext, source: string, options: SyncCommandOptions): Promise<void> {
  await establishHost(context);
  const { config, note, stdin } = context;
  const request = await toSyncRequest(source, options, config);
  const prompts = request.delete === true && !request.dryRun && !options.yes;
  if (prompts) assertPromptable(stdin.isTTY, 'Use --yes, or --dry-run to preview.', ' of --delete');
  const destination = request.destination ?? Defaults.destination;
  // On an existing Temporal server, the workers have the destinations and their keys.
  if (!config.temporal) requireDestination(config, destination);
  const { id, json, quiet, detach } = options;
  const sync: SyncOptions = { ...request, id, baseUrl: config.destinations.get(destination)?.baseUrl };
  const hidesNames = config.encryptionKeyFile !== undefined;
  const job: SyncJob = { prepared: await prepareSync(sync, config.host, hidesNames), name: '' };

  let isStarted = false;
  try {
    await runJobs<SyncJob>(
      context,
      { destination, detach, json, quiet },
      {
        jobs: [job],
        ready: async (run) => {
          const named = namedBy(request.manifest ? [request.source, request.manifest] : [request.source]);
          named.paths.push(...(options.root ?? []).map((directory) => resolve(directory)));
          if (run.hasWorker) await run.name(named, [job]);
          if (!prompts || (await agrees(run, sync))) return [job];
          note('changed nothing');
          if (json) context.json({ workflowId: job.prepared.workflowId, declined: true });
          return undefined;
        },
        start,
        onStarted: async () => {
          isStarted = true;
        },
        noteAttached: async (_, jobs) => {
          const earlier = quiet || detach ? [] : jobs.filter(({ handle }) => handle.resumed);
          for (const { handle } of earlier) note(`an earlier run continues: ${handle.workflowId}`);
        },
        printJson: ({ handle: { workflowId, resumed }, error }) => {
          if (error) context.json({ workflowId, resumed, error: jsonErrorOf(error) });
        },
        print: (_, outcomes) => {
          for (const { result, error, ...ended } of outcomes) {
            if (!result) throw error;
            printResult(context, { ...ended, result }, options);
          }
        },
      },
    );
  } catch (error) {
    if (error instanceof Interrupted && isStarted) note(INTERRUPTED);
    throw error;
  }
}

/** Prints the options that differ, if a sync of the same ID is running with others. */
async function start(run: JobRun, job: SyncJob): Promise<Started<SyncJob>> {
  const { request, workflowId } = job.prepared;
  try {
    return await run.start(job);
  } catch (error) {
    if (!(error instanceof JobIdTakenError)) throw error;
    const { temporal } = run.backend.client;
    const { startedRequest } = await import('../../../client/prepare/started-request.ts');
    // These lines are optional.
    const running = await startedRequest<SyncRequest>(temporal, workflowId).catch(() => undefined);
    const lines = running ? syncDifferences(workflowId, running, request) : [];
    for (const line of lines) run.context.note(`${workflowId}: ${line}`);
    throw error;
  }
}

/** Shows the Files that would be deleted, and prompts. A run without deletions needs no prompt. */
async function agrees(run: JobRun, sync: SyncOptions): Promise<boolean> {
  const { context } = run;
  const { note, signal, config } = context;
  const dryRun = await start(run, {
    prepared: await prepareSync({ ...sync, dryRun: true }, config.host, config.encryptionKeyFile !== undefined),
    name: '',
  });
  await run.serve([dryRun]);
  const { decisions = [], counts } = await dryRun.handle.result({ signal });
  if (counts.toDelete === 0) return true;
  const deletions = decisions.filter(({ action }) => action === 'delete');
  for (const decision of deletions.slice(0, NAMED_DELETIONS)) note(describeDecision(decision));
  if (counts.toDelete > NAMED_DELETIONS) note(`… and ${counts.toDelete - NAMED_DELETIONS} more`);
  const files = counts.toDelete === 1 ? 'this File' : `these ${counts.toDelete} Files`;
  return confirm(context, `delete ${files}?`);
}

function printResult(context: CliContext, { handle, result }: SyncEnd, { json, quiet }: SyncCommandOptions): void {
  const { out, note } = context;
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
    for (const { path, message } of leftOut) note(`excluded: ${path}: ${message}`);
    more('excluded', counts.leftOut, leftOut.length);
    for (const { path, message } of postponed) note(`postponed: ${path}: ${message}`);
    more('postponed', counts.postponed ?? 0, postponed.length);
    if (deletionsHeld !== null)
      note(`${counts.deleted === 0 ? 'deleted nothing' : 'did not delete everything'}: ${deletionsHeld}`);
  }
  const failure = counts.failed > 0 ? new FilesFailedError(`${formatCount(counts.failed, 'file')} failed`) : undefined;
  const shownError = failure && { error: jsonErrorOf(failure) };
  if (json) context.json({ ...shown, resumed: handle.resumed, ...shownError });
  else if (shown.dryRun) {
    for (const decision of decisions) if (decision.why !== 'same') out(describeDecision(decision));
    const { toSend, same, knownContent, toDelete, postponed: later = 0 } = counts;
    const left = later > 0 ? ` · ${later} postponed` : '';
    const words = `would send ${toSend.files} (${formatBytes(toSend.bytes)}) and delete ${toDelete} · ${same} unchanged · ${knownContent} with known content${left}`;
    if (!quiet) note(decisionsOmitted > 0 ? `${words} (${decisionsOmitted} decisions are not shown)` : words);
  } else if (!quiet) note(`${describeCounts(counts)} in ${formatDuration(shown.durationMs)}`);
  if (failure) throw failure;
}

const reasons: Readonly<Record<SyncDecision['why'], string>> = {
  new: 'new',
  changed: 'changed',
  same: 'unchanged',
  'known-content': 'same content as',
  gone: 'source deleted',
};

function describeUnmatched({ list, glob, matchesFolder }: UnmatchedGlob): string {
  const fix = matchesFolder ? `It matches a folder. For a folder with its files, use '${glob}/'.` : 'Check the glob.';
  return `--${list} '${glob}' matched no file. ${fix}`;
}

function describeDecision({ action, why, path, bytes, fileId }: SyncDecision): string {
  const file = why === 'known-content' || why === 'gone' ? ` ${fileId}` : '';
  const reason = why === 'gone' ? `${reasons.gone} (File${file})` : `${reasons[why]}${file}`;
  return `${action.padEnd(6)}  ${path}  ${formatBytes(bytes)}  ${reason}`;
}
