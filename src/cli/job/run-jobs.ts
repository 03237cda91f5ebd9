import { requireDestination } from '../../config/destinations.ts';
import { assertOpenFiles } from '../../config/open-files.ts';
import { isEmpty, namedBy, type NamedSources } from '../../sources/named-sources.ts';
import { withBackend, type Backend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { errorText, Interrupted } from '../errors.ts';
import { NamedRecords } from '../sources/named-records.ts';
import { commandSources } from '../sources/source-settings.ts';
import type { CommandJob, Outcome, Started } from './command-job.ts';
import { isLiveTerminal } from '../text/terminal.ts';
import { shellWord } from '../../core/text/shell-word.ts';
import { createLiveView } from './live-view.ts';
import { isOpen } from '../../temporal/workflow-status.ts';

/** Line that a command prints if it is interrupted. */
export const INTERRUPTED = 'longhaul: interrupted. Run the same command again to resume from the recorded parts.';

interface JobSettings {
  readonly destination: string;
  readonly detach?: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
  /** Queue of the workers that send the parts. @defaultValue that of the source's host */
  readonly transferQueue?: string;
  /** Maximum parts in flight in the worker of the command. @defaultValue by the configuration */
  readonly transferSlots?: number;
}

/** What differs between the commands that start jobs. */
interface JobCommand<Job extends CommandJob> {
  readonly jobs: readonly Job[];
  /** After all checks: returns the jobs to start, for which it calls `run.name`; undefined if the user declines. */
  readonly ready: (run: JobRun) => Promise<readonly Job[] | undefined>;
  /** Starts one job. @defaultValue `run.start` */
  readonly start?: (run: JobRun, job: Job) => Promise<Started<Job>>;
  readonly onStarted?: (run: JobRun, jobs: readonly Started<Job>[]) => Promise<void>;
  /** Reports the differences between a command and the jobs that it attaches to. */
  readonly noteAttached: (run: JobRun, jobs: readonly Started<Job>[]) => Promise<void>;
  /** With `--json`: prints a job when it closes or when the command is interrupted. */
  readonly printJson: (outcome: Outcome<Job>) => void;
  /** @throws the error of a job that failed */
  readonly print: (run: JobRun, outcomes: readonly Outcome<Job>[]) => Promise<void> | void;
}

/**
 * Runs a command that starts jobs. It connects to Temporal, checks for workers or calls the destination, and starts or
 * attaches to the jobs. On the embedded server, it runs a worker. Finally, it follows the jobs and prints the results.
 *
 * Modules that need Temporal's SDK or undici are imported late, so that they load while the embedded server starts.
 */
export async function runJobs<Job extends CommandJob>(
  context: CliContext,
  settings: JobSettings,
  command: JobCommand<Job>,
): Promise<void> {
  const needsWorker = !settings.detach && context.config.temporal === undefined;
  await withBackend(context, { destination: settings.destination, needsWorker }, async (backend) => {
    const run = new JobRun(context, backend, settings);
    await run.check(command.jobs);
    const ready = await command.ready(run);
    if (!ready) return;
    if (backend.uiUrl && !settings.quiet) context.note(`Temporal UI: ${backend.uiUrl}`);
    const jobs: Started<Job>[] = [];
    for (const job of ready) jobs.push(await (command.start ?? ((_, one) => run.start(one)))(run, job));
    await command.onStarted?.(run, jobs);
    await run.sweep();
    if (settings.detach) {
      await command.noteAttached(run, jobs);
      return printDetached(context, settings, jobs);
    }
    await run.serve(jobs);
    const { restartOutdated } = await import('./outdated.ts');
    if (run.hasWorker && (await restartOutdated(context, backend, jobs, settings.destination))) await run.serve(jobs);
    await command.noteAttached(run, jobs);
    const outcomes = await run.follow(jobs, settings.json ? command.printJson : () => {});
    await run.end();
    await command.print(run, outcomes);
  });
}

function printDetached(
  context: CliContext,
  { json, quiet }: JobSettings,
  jobs: readonly Started<CommandJob & { readonly source?: string }>[],
): void {
  for (const { source, handle } of jobs) {
    const { workflowId, resumed } = handle;
    if (json) context.json({ source, workflowId, resumed });
    else context.out(workflowId);
  }
  const kind = jobs.some(({ prepared }) => prepared.kind === 'sync') ? 'sync' : 'upload';
  if (!quiet) context.note(`the ${kind} continues without this command. "longhaul status ID" prints its progress.`);
}

/** The steps of one command. */
export class JobRun {
  readonly context: CliContext;
  readonly backend: Backend;
  readonly settings: JobSettings;
  readonly #records: NamedRecords;
  readonly #served = new Set<string>();
  #named: NamedSources = namedBy([]);
  #workflowIds: readonly string[] = [];

  constructor(context: CliContext, backend: Backend, settings: JobSettings) {
    this.context = context;
    this.backend = backend;
    this.settings = settings;
    this.#records = new NamedRecords(context.config);
  }

  /** Whether this command sends the parts itself. */
  get hasWorker(): boolean {
    return this.backend.isEmbedded && !this.settings.detach;
  }

  /** Fails a command that cannot start its jobs, and would otherwise wait without a message. @throws ConfigError */
  async check(jobs: readonly CommandJob[]): Promise<void> {
    const { config } = this.context;
    const { destination, transferQueue } = this.settings;
    const { assertWorkers, checkDestination } = await import('../checks/check-jobs.ts');
    if (!this.hasWorker) return assertWorkers(this.backend, jobs, transferQueue);
    assertOpenFiles();
    await checkDestination(requireDestination(config, destination), this.backend, jobs);
  }

  /** Permits the sources to the worker of this command, and to those of other commands of this user. */
  async name(named: NamedSources, jobs: readonly CommandJob[]): Promise<void> {
    this.#named = named;
    this.#workflowIds = jobs.map(({ prepared }) => prepared.workflowId);
    if (!isEmpty(named)) await this.#records.add(named, this.#workflowIds);
  }

  async start<Job extends CommandJob>(job: Job): Promise<Started<Job>> {
    const { startJob } = await import('../../client/start-job.ts');
    const { temporal, taskQueue } = this.backend.client;
    return { ...job, handle: await startJob<Job['prepared']>(temporal, taskQueue, job.prepared) };
  }

  /** Deletes the records of other commands whose jobs have ended. */
  async sweep(): Promise<void> {
    await this.#records.sweep(this.backend.client).catch(() => {});
  }

  /** Runs a worker for the queues that the jobs were started on, if Temporal is the embedded server. */
  async serve(jobs: readonly Started<CommandJob>[]): Promise<void> {
    if (!this.backend.isEmbedded) return;
    const { config, note } = this.context;
    const { transferSlots = config.transferSlots, quiet } = this.settings;
    const states = await Promise.all(jobs.map(({ handle }) => handle.describe()));
    // A single upload has few workflow tasks.
    const workflowThread = jobs.length > 1 || jobs.some(({ prepared }) => prepared.kind !== 'upload');
    const own = new Set(jobs.map(({ handle }) => handle.workflowId));
    for (const { status, taskQueue } of states) {
      if (!isOpen(status) || this.#served.has(taskQueue)) continue;
      this.#served.add(taskQueue);
      const sources = commandSources(config, this.#named);
      const worker = await this.backend.startWorker(sources, { taskQueue, transferSlots, workflowThread });
      void worker.run().catch((error: unknown) => note(`longhaul: the worker stopped: ${errorText(error)}`));
      if (quiet) continue;
      for await (const { workflowId, parentId } of this.backend.client.list({ running: true, taskQueue })) {
        if (parentId !== undefined || own.has(workflowId)) continue;
        note(
          `an earlier upload also continues: ${workflowId}. To cancel it, run "longhaul cancel ${shellWord(workflowId)}".`,
        );
      }
    }
  }

  /** Follows jobs until they close, with one view. @throws Interrupted */
  async follow<Job extends CommandJob>(
    jobs: readonly Started<Job>[],
    printEnd: (outcome: Outcome<Job>) => void,
  ): Promise<Outcome<Job>[]> {
    const { stderr, note, term } = this.context;
    const kind = this.settings.quiet ? 'quiet' : isLiveTerminal(stderr, term) ? 'bars' : 'lines';
    const view = createLiveView(kind, note, stderr);
    const running = new Set(jobs);
    const followOne = async (job: Started<Job>) => {
      const watching = new AbortController();
      const signal = AbortSignal.any([this.context.signal, watching.signal]);
      const watch = async () => {
        for await (const event of job.handle.progress({ signal })) {
          if (!watching.signal.aborted) view.show(job.name, event, job.handle.workflowId);
        }
      };
      const watched = watch().catch(() => {});
      const outcome = await this.#outcomeOf(job).finally(async () => {
        watching.abort();
        await watched;
      });
      running.delete(job);
      printEnd(outcome);
      return outcome;
    };
    try {
      return await Promise.all(jobs.map(followOne));
    } catch (error) {
      for (const job of running) printEnd({ ...job, error });
      throw error;
    } finally {
      view.close();
    }
  }

  async #outcomeOf<Job extends CommandJob>(job: Started<Job>): Promise<Outcome<Job>> {
    const { handle } = job;
    try {
      const isOld = handle.resumed === true && (await handle.describe()).status === 'COMPLETED';
      return { ...job, isOld, result: await handle.result({ signal: this.context.signal }) };
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      return { ...job, error };
    }
  }

  /** Removes the records of sources after the jobs of this command have closed. */
  async end(): Promise<void> {
    await this.#records.removeEnded(this.#workflowIds, this.backend.client).catch(() => {});
  }
}
