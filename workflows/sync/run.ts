import { uuid4, workflowInfo } from '@temporalio/workflow';
import type { Admitted } from '../../src/contracts/failures.ts';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import type { FullSyncRequest, SyncHandover, SyncProgress, SyncRequest, SyncResult } from '../../src/contracts/sync.ts';
import { nameOfContainer } from '../../src/core/source/names.ts';
import { SyncTally } from '../../src/core/sync/tally.ts';
import { jsonBytes } from '../../src/core/payload.ts';
import { Fleet } from '../fleet/fleet.ts';
import { HandOver, type Control, type Run } from '../shell/define-workflow.ts';
import { RetryPeriod } from '../shell/retry-period.ts';
import { HandOverDue, Waiting } from '../shell/waiting.ts';
import { JobRequest } from '../shell/job-request.ts';
import { SyncCalls } from './calls.ts';
import { Deletions } from './deletions.ts';
import { Memory } from './memory.ts';
import { NewestLists } from './newest-lists.ts';
import { Plans } from './plans.ts';
import { Sending } from './sending.ts';
import { SyncView } from './view.ts';
import { syncConcurrency } from './uploads.ts';

/** Bytes of the state of the lists, without the uploads. */
const LISTS_BYTES = 200;

/** The state of one sync, and its steps. */
export class SyncRun implements Run<SyncResult, SyncHandover, SyncProgress> {
  readonly #request: JobRequest<Admitted<FullSyncRequest>>;
  readonly #calls: SyncCalls;
  readonly #planId: string;
  readonly #view: SyncView;
  /** Waits of the lists, the deletions and the memory of the last run. */
  readonly #waiting: Waiting;
  /** Waits of the memory, which are separate, because a plan that is retried can first need the results in the memory. */
  readonly #recording: Waiting;
  readonly #fleet: Fleet;
  readonly #tally: SyncTally;
  readonly #memory: Memory;
  readonly #plans: Plans;
  readonly #deletions: Deletions;
  readonly #sending: Sending;
  readonly #lists: NewestLists;
  #paused: boolean;

  constructor(request: SyncRequest, { memory, run }: SyncHandover) {
    this.#request = new JobRequest(request, factsOf);
    this.#planId = run?.planId ?? uuid4();
    this.#calls = new SyncCalls(this.#request.raw, this.#planId);
    const giveUpAfterMs = () => this.#request.giveUpAfterMs;
    const onChange = () => this.#view.publish();
    const period = new RetryPeriod();
    const ofLists = { carried: run?.waits?.lists, period, handsOver: () => true };
    this.#waiting = new Waiting(giveUpAfterMs, onChange, ofLists);
    this.#recording = new Waiting(giveUpAfterMs, onChange, { period });
    const maxRunning = () => syncConcurrency(this.#request.full);
    this.#fleet = new Fleet({ isPaused: () => this.#paused, onChange, maxRunning });
    this.#tally = new SyncTally(run);
    this.#lists = new NewestLists(run?.lists);
    this.#memory = new Memory(this.#calls, {
      packed: memory,
      problem: run?.memoryProblem,
      hasManifest: this.#request.raw['manifest'] !== undefined,
      recalling: this.#waiting,
      recording: this.#recording,
    });
    this.#plans = new Plans(this.#calls, this.#memory, this.#waiting, {
      lists: this.#lists,
      tally: this.#tally,
      onChange,
      onAdmitted: (admitted) => this.#admit(admitted),
      onFailure: (details) => {
        this.#request.failed(details);
        this.#view.use(details?.hasAttributes);
      },
    });
    this.#deletions = new Deletions({
      calls: this.#calls,
      plans: this.#plans,
      fleet: this.#fleet,
      memory: this.#memory,
      tally: this.#tally,
      waiting: this.#waiting,
      isPaused: () => this.#paused,
      isHandOverDue,
    });
    this.#sending = new Sending(
      {
        plans: this.#plans,
        fleet: this.#fleet,
        memory: this.#memory,
        tally: this.#tally,
        deletions: this.#deletions,
        giveUpAfterMs,
        isPaused: () => this.#paused,
        isHandOverDue,
        onPlanned: () => this.#view.enter('uploading'),
        onChange,
      },
      run,
    );
    this.#paused = run?.paused ?? false;
    this.#view = new SyncView(
      {
        request: this.#request,
        fleet: this.#fleet,
        tally: this.#tally,
        isPaused: () => this.#paused,
        waiting: () => this.#waiting.info,
        recording: () => this.#recording.info,
        leftToRead: () => this.#plans.leftToRead,
      },
      run && !this.#sending.isFirst ? (run.uploadsDone ? 'deleting' : 'uploading') : 'listing',
      run?.startedAtMs ?? Date.now(),
    );
    const { request: known, limits } = run ?? {};
    if (known && limits) this.#admit({ request: known, hasAttributes: run?.hasAttributes ?? false, limits });
  }

  #admit(admitted: Admitted<FullSyncRequest>): void {
    this.#request.admit(admitted);
    this.#calls.admit(admitted.request);
    this.#view.use(admitted.hasAttributes);
    this.#sending.admit(admitted);
  }

  /** Runs until the end, or until the history is long enough for continue-as-new. */
  async run(): Promise<SyncResult | HandOver<SyncHandover>> {
    this.#view.publish();
    this.#fleet.receiveReports();
    try {
      await this.#memory.recall();
      if (this.#request.raw['dryRun'] === true) return await this.#dryRun();
      await this.#sync();
    } catch (error) {
      if (!(error instanceof HandOverDue)) throw error;
    }
    await this.#memory.pack();
    if (this.#view.state !== 'completed') return new HandOver(() => this.#handover());
    return this.#result();
  }

  async #sync(): Promise<void> {
    try {
      if (!this.#sending.isDone) await this.#sending.run();
      if (!this.#sending.isDone) return;
      if (this.#request.full.delete) {
        this.#view.enter('deleting');
        if (!(await this.#deletions.run())) return;
      }
      await this.#memory.record();
      this.#view.enter('completed');
    } finally {
      await this.#fleet.drain();
    }
  }

  rejects(): undefined {
    return undefined;
  }

  /** Returns when the control is in effect in all running uploads. */
  async apply(control: Control): Promise<SyncProgress> {
    const { type } = control;
    if (type === 'retry') {
      this.#waiting.retry();
      this.#recording.retry();
      this.#sending.retry();
    } else this.#paused = type === 'pause';
    this.#view.publish();
    // An upload that is completing can lose its session, and then resends its parts.
    await this.#fleet.apply(type === 'pause' ? { ...control, whileCompleting: true } : control);
    return this.progress();
  }

  async abandon(state: 'cancelled' | 'failed', reason: string): Promise<undefined> {
    await this.#sending.abandon();
    await this.#memory.abandon();
    this.#view.failed(state, reason);
    return undefined;
  }

  progress(): SyncProgress {
    return this.#view.progress();
  }

  async #dryRun(): Promise<SyncResult> {
    const batch = await this.#plans.decisions();
    this.#tally.begin(batch.totals);
    this.#tally.toDelete(batch.deletionCount);
    const problem = this.#request.full.delete ? this.#memory.problem : undefined;
    this.#deletions.held = problem ?? batch.deletionsHeld;
    this.#view.enter('completed');
    return { ...this.#result(), decisions: batch.decisions, decisionsOmitted: batch.decisionsOmitted };
  }

  #handover(): SyncHandover {
    return { memory: this.#memory.isRecalled ? this.#memory.packed : undefined, run: this.#carried() };
  }

  #carried(): Required<SyncHandover>['run'] {
    const carried = {
      ...this.#request.checked,
      ...this.#sending.toJSON(),
      waits: { lists: this.#waiting.info, batches: this.#sending.waiting },
      planId: this.#planId,
      ...this.#tally.toJSON(),
      paused: this.#paused,
      startedAtMs: this.#view.startedAtMs,
      memoryProblem: this.#memory.problem,
    };
    const roomBytes =
      PayloadLimits.payload - jsonBytes([this.#request.raw, { memory: this.#memory.packed, run: carried }]);
    return { ...carried, lists: this.#lists.within(roomBytes - LISTS_BYTES) };
  }

  #result(): SyncResult {
    const { counts, problems, leftOut, postponed = [], unmatchedGlobs = [] } = this.#tally.toJSON();
    return {
      workflowId: workflowInfo().workflowId,
      dryRun: this.#request.full.dryRun,
      counts,
      problems,
      leftOut,
      postponed,
      unmatchedGlobs,
      deletionsHeld: this.#deletions.held,
      durationMs: Date.now() - this.#view.startedAtMs,
      memoryProblem: this.#memory.problem,
      memory: this.#memory.ofResult,
    };
  }
}

function isHandOverDue(): boolean {
  return workflowInfo().continueAsNewSuggested;
}

function factsOf({ request }: Admitted<FullSyncRequest>) {
  const { source, purpose, destination, upload } = request;
  return { subject: { filename: nameOfContainer(source), purpose, destination }, giveUpAfterMs: upload.giveUpAfterMs };
}
