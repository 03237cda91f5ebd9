import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedUpload, SyncBatch } from '../../src/contracts/plan-sync.ts';
import type { CarriedFile, SentFile } from '../../src/contracts/batch.ts';
import { FailureType, type Admitted, type FailureDetails, type JobSubject } from '../../src/contracts/failures.ts';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import type {
  FullSyncRequest,
  SyncHandover,
  SyncProgress,
  SyncRequest,
  SyncResult,
  SyncState,
} from '../../src/contracts/sync.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { syncAttributes, shownState, shownWait } from '../../src/core/show/attributes.ts';
import { syncEndLine, type End, type EndLine } from '../../src/core/show/end-line.ts';
import { describeSync } from '../../src/core/show/describe-sync.ts';
import { nameOfContainer } from '../../src/core/source/names.ts';
import { loadsOf } from '../../src/core/sync/loads.ts';
import { SyncTally } from '../../src/core/sync/tally.ts';
import { jsonBytes } from '../../src/core/payload.ts';
import { Fleet, type Load } from '../fleet/fleet.ts';
import { problemOf } from '../fleet/upload-end.ts';
import { HandOver, type Control, type Run } from '../shell/define-workflow.ts';
import { Pace } from '../shell/pace.ts';
import { HandOverDue, Waiting } from '../shell/waiting.ts';
import type { RawRequest } from '../shell/requests.ts';
import { Status } from '../shell/status.ts';
import { SyncCalls } from './calls.ts';
import { Deletions } from './deletions.ts';
import { Memory } from './memory.ts';
import { NewestLists } from './newest-lists.ts';
import { Plans } from './plans.ts';
import { syncConcurrency, SyncUploads } from './uploads.ts';

/** Bytes of the state of the lists, without the uploads. */
const LISTS_BYTES = 200;

/** The state of one sync, and its steps. */
export class SyncRun implements Run<SyncResult, Required<SyncHandover>, SyncProgress> {
  readonly #raw: RawRequest;
  readonly #calls: SyncCalls;
  /** Whether the first lists are incomplete. */
  #isFirst: boolean;
  readonly #planId: string;
  readonly #status = new Status();
  /** Waits of the lists and deletions. */
  readonly #waiting: Waiting;
  /** Waits of the batches, which are separate, because uploads can fail while lists succeed. */
  #uploads: SyncUploads | undefined;
  readonly #giveUpAfterMs: () => number;
  readonly #fleet: Fleet;
  readonly #tally: SyncTally;
  readonly #memory: Memory;
  readonly #plans: Plans;
  readonly #deletions: Deletions;
  readonly #startedAtMs: number;
  readonly #pace = new Pace();
  readonly #lists: NewestLists;
  #admitted: Admitted<FullSyncRequest> | undefined;
  /** Request properties in the last failure of the first activity. */
  #facts: Pick<FailureDetails, 'subject' | 'giveUpAfterMs'> = {};
  #state: SyncState;
  #paused: boolean;
  #sentUpTo: string | null;
  /** Uploads up to this position that are planned and not started. */
  #planned: readonly PlannedUpload[];
  /** Batches of the previous execution that are not started. */
  #batches: readonly (readonly CarriedFile[])[];
  /** Batches for the next execution. */
  readonly #handedOver: (readonly CarriedFile[])[] = [];
  /** Waits of the batches of the previous execution. */
  readonly #waitedFor: WaitingInfo | undefined;
  #uploadsDone: boolean;
  #endReason: string | undefined;

  constructor(request: SyncRequest, { memory, run }: SyncHandover) {
    this.#raw = { ...request };
    this.#isFirst = run?.isFirst ?? run === undefined;
    this.#planId = run?.planId ?? uuid4();
    this.#calls = new SyncCalls(this.#raw, this.#planId);
    this.#giveUpAfterMs = () => this.#admitted?.request.upload.giveUpAfterMs ?? this.#facts.giveUpAfterMs ?? 0;
    const onChange = () => this.#publish();
    this.#waiting = new Waiting(this.#giveUpAfterMs, onChange, { carried: run?.waits?.lists, handsOver: () => true });
    this.#waitedFor = run?.waits?.batches;
    const maxRunning = () => syncConcurrency(this.#request);
    this.#fleet = new Fleet({ isPaused: () => this.#paused, onChange, maxRunning });
    this.#tally = new SyncTally(run);
    this.#lists = new NewestLists(run?.lists);
    this.#memory = new Memory(this.#calls, memory, run?.memoryProblem);
    this.#plans = new Plans(this.#calls, this.#memory, this.#waiting, {
      lists: this.#lists,
      tally: this.#tally,
      onChange,
      onAdmitted: (admitted) => this.#admit(admitted),
      onFailure: (details) => {
        this.#facts = details ?? this.#facts;
        this.#status.use(details?.hasAttributes);
      },
    });
    this.#deletions = new Deletions({
      calls: this.#calls,
      plans: this.#plans,
      fleet: this.#fleet,
      memory: this.#memory,
      tally: this.#tally,
      waiting: this.#waiting,
      isHandOverDue,
    });
    this.#state = run && !this.#isFirst ? (run.uploadsDone ? 'deleting' : 'uploading') : 'listing';
    this.#paused = run?.paused ?? false;
    this.#sentUpTo = run?.sentUpTo ?? null;
    this.#planned = run?.planned ?? [];
    this.#batches = run?.batches ?? [];
    this.#uploadsDone = run?.uploadsDone ?? false;
    this.#startedAtMs = run?.startedAtMs ?? Date.now();
    const { request: known, limits } = run ?? {};
    if (known && limits) this.#admit({ request: known, hasAttributes: run?.hasAttributes ?? false, limits });
  }

  #admit(admitted: Admitted<FullSyncRequest>): void {
    this.#admitted = admitted;
    const { request, hasAttributes, limits } = admitted;
    this.#calls.admit(request);
    this.#status.use(hasAttributes);
    this.#uploads ??= new SyncUploads({
      request,
      limits,
      giveUpAfterMs: this.#giveUpAfterMs,
      isPaused: () => this.#paused,
      onChange: () => this.#publish(),
      onSent: (planned, sent) => this.#sent(planned, sent),
      onFailed: ({ path }, error) => this.#tally.notSent(problemOf(path, error)),
      onHandedOver: (files) => this.#handedOver.push(files),
      waiting: this.#waitedFor,
    });
  }

  get #request(): FullSyncRequest {
    if (!this.#admitted) throw new Error('the request is not available before the lists exist');
    return this.#admitted.request;
  }

  get #subject(): JobSubject | undefined {
    if (!this.#admitted) return this.#facts.subject;
    const { source, purpose, destination } = this.#admitted.request;
    return { filename: nameOfContainer(source), purpose, destination };
  }

  /** Runs until the end, or until the history is long enough for continue-as-new. */
  async run(): Promise<SyncResult | HandOver<Required<SyncHandover>>> {
    this.#publish();
    await this.#memory.recall();
    try {
      if (this.#raw['dryRun'] === true) return await this.#dryRun();
      await this.#sync();
    } catch (error) {
      if (!(error instanceof HandOverDue)) throw error;
    }
    await this.#memory.pack();
    if (this.#state !== 'completed') return new HandOver({ memory: this.#memory.packed, run: this.#carried() });
    return this.#result();
  }

  async #sync(): Promise<void> {
    try {
      if (!this.#uploadsDone) await this.#sendAll(this.#isFirst);
      if (this.#uploadsDone && this.#request.delete) {
        this.#enter('deleting');
        if (await this.#deletions.run()) this.#enter('completed');
      }
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
      this.#uploads?.retry();
    } else this.#paused = type === 'pause';
    this.#publish();
    // An upload that is completing can lose its session, and then resends its parts.
    await this.#fleet.apply(type === 'pause' ? { ...control, whileCompleting: true } : control);
    return this.progress();
  }

  async abandon(state: 'cancelled' | 'failed', reason: string): Promise<undefined> {
    // No later execution cancels the sessions of these batches.
    const ends = [...this.#handedOver, ...this.#batches].map((files) =>
      CancellationScope.nonCancellable(async () => this.#uploads?.batch(files).end(new CancelledFailure('cancelled'))),
    );
    await Promise.all(ends);
    this.#endReason = reason;
    this.#enter(state);
    return undefined;
  }

  endLine(end: End): EndLine {
    return syncEndLine(end, this.progress(), Date.now());
  }

  progress(): SyncProgress {
    const waiting = shownWait(this.#state, this.#waiting.info ?? this.#fleet.waiting, Date.now());
    const isPaused = this.#paused && this.#state !== 'listing';
    const { counts } = this.#tally;
    return {
      kind: 'sync',
      state: shownState(this.#state, { isWaiting: waiting !== null, isPaused }),
      filename: this.#subject?.filename ?? '',
      bytesTotal: counts.toSend.bytes,
      bytesDone: counts.sent.bytes,
      partsInFlight: 0,
      waiting,
      counts,
      uploading: this.#fleet.paths,
      startedAtMs: this.#startedAtMs,
    };
  }

  async #dryRun(): Promise<SyncResult> {
    const batch = await this.#plans.decisions();
    this.#tally.begin(batch.totals);
    this.#tally.toDelete(batch.deletionCount);
    const problem = this.#request.delete ? this.#memory.problem : undefined;
    this.#deletions.held = problem ?? batch.deletionsHeld;
    this.#enter('completed');
    return { ...this.#result(), decisions: batch.decisions, decisionsOmitted: batch.decisionsOmitted };
  }

  async #sendAll(isFirst: boolean): Promise<void> {
    if (!isFirst && !(await this.#startPlanned())) return;
    let batch = await this.#plans.uploads(this.#sentUpTo, isFirst);
    if (isFirst) this.#begin(batch);
    if (batch.hasDeletions) this.#deletions.begin(batch);
    this.#enter('uploading');
    for (;;) {
      this.#memory.learn(batch);
      if (batch.packsEarly) await this.#memory.packEarly();
      this.#planned = batch.uploads;
      this.#sentUpTo = batch.uploads.at(-1)?.path ?? this.#sentUpTo;
      if (!(await this.#startPlanned())) return;
      const next = batch.hasDeletions ? null : batch.next;
      if (next === null) break;
      this.#sentUpTo = next;
      if (isHandOverDue()) return;
      batch = await this.#plans.uploads(next, false);
    }
    await condition(() => this.#fleet.isEmpty);
    if (this.#handedOver.length > 0) return;
    this.#uploadsDone = true;
    if (!this.#request.delete) this.#enter('completed');
  }

  /** @returns false if the next execution starts the rest */
  #startPlanned(): Promise<boolean> {
    return this.#fleet.send(this.#plannedLoads(), isHandOverDue);
  }

  /** Yields the loads. Each is created shortly before its start, with the results of earlier uploads. */
  *#plannedLoads(): Iterable<Load> {
    const uploads = this.#uploads;
    if (!uploads) return;
    const batches = this.#batches;
    for (const [index, files] of batches.entries()) {
      this.#batches = batches.slice(index);
      yield uploads.batch(files);
    }
    this.#batches = [];
    const loads = loadsOf(this.#planned);
    for (const [index, files] of loads.entries()) {
      this.#planned = loads.slice(index).flat();
      yield uploads.load(files);
    }
    this.#planned = [];
  }

  /** @throws ApplicationFailure if the sync would send more files than the request allows */
  #begin({ totals }: SyncBatch): void {
    this.#isFirst = false;
    this.#tally.begin(totals);
    const { maxFiles } = this.#request;
    if (maxFiles === undefined || totals.toSend.files <= maxFiles) return;
    const message = `the sync would send ${totals.toSend.files} files, more than maxFiles (${maxFiles}), so it sent nothing. Run a dry run to list them`;
    throw ApplicationFailure.nonRetryable(message, FailureType.TooManyFiles);
  }

  #sent({ path, sizeBytes, version, change }: PlannedUpload, sent: SentFile): void {
    const { fileId, md5, createdAt } = sent;
    const entry = { path, sizeBytes, version, fileId, md5, createdAt };
    this.#memory.remember(change === undefined ? entry : { ...entry, change });
    this.#tally.sent(sizeBytes);
  }

  #carried(): Required<SyncHandover>['run'] {
    const carried = {
      ...this.#admitted,
      isFirst: this.#isFirst || undefined,
      waits: { lists: this.#waiting.info, batches: this.#uploads?.waiting },
      batches: [...this.#handedOver, ...this.#batches],
      planId: this.#planId,
      sentUpTo: this.#sentUpTo,
      planned: this.#planned,
      uploadsDone: this.#uploadsDone,
      ...this.#tally.toJSON(),
      paused: this.#paused,
      startedAtMs: this.#startedAtMs,
      memoryProblem: this.#memory.problem,
    };
    const roomBytes = PayloadLimits.payload - jsonBytes([this.#raw, { memory: this.#memory.packed, run: carried }]);
    return { ...carried, lists: this.#lists.within(roomBytes - LISTS_BYTES) };
  }

  #result(): SyncResult {
    const { counts, problems, leftOut, postponed = [], unmatchedGlobs = [] } = this.#tally.toJSON();
    return {
      workflowId: workflowInfo().workflowId,
      dryRun: this.#request.dryRun,
      counts,
      problems,
      leftOut,
      postponed,
      unmatchedGlobs,
      deletionsHeld: this.#deletions.held,
      durationMs: Date.now() - this.#startedAtMs,
      memoryProblem: this.#memory.problem,
      memory: this.#memory.packed,
    };
  }

  #enter(state: SyncState): void {
    this.#state = state;
    this.#publish();
  }

  #publish(): void {
    const progress = this.progress();
    this.#status.details(
      describeSync(progress, {
        ...this.#pace.measure(progress.bytesDone),
        leftToRead: this.#plans.leftToRead,
        reason: this.#endReason,
      }),
    );
    const reason = this.#endReason ?? this.#tally.firstProblem?.failureType;
    const isHeld = progress.state === 'paused' || progress.state === 'waiting';
    this.#status.attributes(syncAttributes(progress, this.#subject, reason), isHeld && progress.uploading.length === 0);
  }
}

function isHandOverDue(): boolean {
  return workflowInfo().continueAsNewSuggested;
}
