import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  isCancellation,
  setCurrentDetails,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedDeletion, PlannedUpload, SyncBatch } from '../../src/contracts/activities.ts';
import type { SentFile } from '../../src/contracts/batch.ts';
import { FailureType, type Admitted, type FailureDetails, type JobSubject } from '../../src/contracts/failures.ts';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import type {
  FullSyncRequest,
  RememberedFile,
  SyncHandover,
  SyncMemory,
  SyncProblem,
  SyncProgress,
  SyncRequest,
  SyncResult,
  SyncState,
} from '../../src/contracts/sync.ts';
import { syncAttributes, shownState, shownWait } from '../../src/core/show/attributes.ts';
import { syncEndLine, type End, type EndLine } from '../../src/core/show/end-line.ts';
import { describeSync } from '../../src/core/show/describe-sync.ts';
import { checkMemory, memoryProblemOf } from '../../src/core/sync/memory-shape.ts';
import { loadsOf } from '../../src/core/sync/loads.ts';
import { stillWritten } from '../../src/core/sync/reports.ts';
import { SyncTally } from '../../src/core/sync/tally.ts';
import { commandBytes, jsonBytes } from '../../src/core/payload.ts';
import { utf8Length } from '../../src/core/text/clip.ts';
import { HandOver, type Control, type Run } from '../shell/define-workflow.ts';
import { Pace } from '../shell/pace.ts';
import { detailsOf } from '../shell/failures.ts';
import { Parking } from '../shell/parking.ts';
import type { RawRequest } from '../shell/requests.ts';
import { nameOfContainer } from '../../src/core/source/names.ts';
import { ShownAttributes } from '../shell/shown-attributes.ts';
import { NewestLists } from './newest-lists.ts';
import { SlidingWindow } from './sliding-window.ts';
import { SyncCalls, syncConcurrency, type Learning } from './calls.ts';
import { SyncUploads } from './uploads.ts';
import { uploadProblem } from './upload-problem.ts';

/** With the memory beside them they fit into the input of one activity, which has 2 MB. */
const PACK_AT_BYTES = 500_000;
/** Of what is handed over of the lists, without the uploads. */
const LISTS_BYTES = 200;
/** Of an entry without its path, as JSON. */
const ROW_BYTES = 250;

/** The state of one sync, and the steps that move it on. */
export class SyncRun implements Run<SyncResult, Required<SyncHandover>, SyncProgress> {
  readonly #raw: RawRequest;
  readonly #calls: SyncCalls;
  /** No execution of this sync was before this one. */
  readonly #isFirst: boolean;
  readonly #planId: string;
  readonly #shown = new ShownAttributes();
  readonly #parking: Parking;
  /** With a parking of their own: that lists can be made doesn't mean that files go through. */
  #uploads: SyncUploads | undefined;
  readonly #giveUpAfterMs: () => number;
  readonly #window: SlidingWindow;
  readonly #tally: SyncTally;
  readonly #startedAtMs: number;
  readonly #pace = new Pace();
  /** Learnt by this execution and not in `#memory` yet. */
  readonly #learnt = new Map<string, RememberedFile>();
  readonly #forgotten = new Set<string>();
  /** Of entries that were learnt since the memory was packed, about. */
  #learntBytes = 0;
  readonly #lists: NewestLists;
  readonly #learning: Learning = {
    lists: () => this.#lists,
    memory: () => this.#known,
    read: async ({ recognised, left }) => {
      this.#learn({ recognised, forget: [] });
      this.#leftToRead = left;
      this.#publish();
      await this.#packEarly();
    },
    pack: () => this.#pack(),
    admit: (admitted) => this.#admit(admitted),
  };
  #admitted: Admitted<FullSyncRequest> | undefined;
  /** What the last failure of the first activity says of the request. */
  #facts: Pick<FailureDetails, 'subject' | 'giveUpAfterMs'> = {};
  #leftToRead = 0;
  /** Undefined until the last run's is recalled. */
  #memory: SyncMemory | null | undefined;
  /** Why the memory of the last run was ignored. */
  #memoryProblem: string | undefined;
  #state: SyncState;
  #paused: boolean;
  #sentUpTo: string | null;
  /** Uploads that were planned up to there and not started. */
  #planned: readonly PlannedUpload[];
  #uploadsDone: boolean;
  #deletionsHeld: string | null = null;
  #endReason: string | undefined;
  /** Known from the first answer where nothing is to be sent. */
  #firstDeletions: SyncBatch | undefined;

  constructor(request: SyncRequest, { memory, run }: SyncHandover) {
    this.#raw = { ...request };
    this.#isFirst = run === undefined;
    this.#planId = run?.planId ?? uuid4();
    this.#calls = new SyncCalls(this.#raw, this.#planId);
    const giveUpAfterMs = () => this.#admitted?.request.upload.giveUpAfterMs ?? this.#facts.giveUpAfterMs ?? 0;
    this.#parking = new Parking(giveUpAfterMs, () => this.#publish());
    this.#giveUpAfterMs = giveUpAfterMs;
    this.#window = new SlidingWindow(() => syncConcurrency(this.#request));
    this.#tally = new SyncTally(run);
    this.#lists = new NewestLists(run?.lists);
    this.#memoryProblem = run?.memoryProblem;
    if (memory !== undefined) this.#recalled(memory);
    this.#state = run ? (run.uploadsDone ? 'deleting' : 'uploading') : 'listing';
    this.#paused = run?.paused ?? false;
    this.#sentUpTo = run?.sentUpTo ?? null;
    this.#planned = run?.planned ?? [];
    this.#uploadsDone = run?.uploadsDone ?? false;
    this.#startedAtMs = run?.startedAtMs ?? Date.now();
    if (run) this.#admit(run);
  }

  #admit({ request, hasAttributes }: Admitted<FullSyncRequest>): void {
    this.#admitted = { request, hasAttributes };
    this.#calls.admit(request);
    this.#shown.use(hasAttributes);
    this.#uploads ??= new SyncUploads({
      request,
      calls: this.#calls,
      window: this.#window,
      giveUpAfterMs: this.#giveUpAfterMs,
      isPaused: () => this.#paused,
      onSent: (planned, sent) => this.#sent(planned, sent),
      onFailed: ({ path }, error) => this.#notSent(uploadProblem(path, error)),
      onChange: () => this.#publish(),
    });
  }

  get #request(): FullSyncRequest {
    if (!this.#admitted) throw new Error('the request is not known before the lists are made');
    return this.#admitted.request;
  }

  get #subject(): JobSubject | undefined {
    if (!this.#admitted) return this.#facts.subject;
    const { source, purpose, destination } = this.#admitted.request;
    return { filename: nameOfContainer(source), purpose, destination };
  }

  /** Runs to the end, or to the point where the history is long enough to be handed over. */
  async run(): Promise<SyncResult | HandOver<Required<SyncHandover>>> {
    this.#publish();
    if (this.#memory === undefined) this.#recalled(await this.#calls.recall());
    if (this.#raw['dryRun'] === true) return this.#dryRun();
    try {
      if (!this.#uploadsDone) await this.#sendAll(this.#isFirst);
      if (this.#uploadsDone && this.#request.delete) await this.#deleteGone();
    } finally {
      await this.#window.drain();
    }
    await this.#pack();
    if (this.#state !== 'completed') return new HandOver({ memory: this.#known, run: this.#carried() });
    return this.#result();
  }

  rejects(): undefined {
    return undefined;
  }

  /** A pause holds further files back. Large files that are being sent go on. */
  apply({ type }: Control): SyncProgress {
    if (type === 'retry') {
      this.#parking.retry();
      this.#uploads?.retry();
    } else {
      this.#paused = type === 'pause';
      if (this.#paused) this.#uploads?.pause();
      this.#publish();
    }
    return this.progress();
  }

  async abandon(state: 'cancelled' | 'failed', reason: string): Promise<undefined> {
    this.#endReason = reason;
    this.#enter(state);
    return undefined;
  }

  endLine(end: End): EndLine {
    return syncEndLine(end, this.#subject?.filename ?? '', this.progress(), Date.now());
  }

  progress(): SyncProgress {
    const waiting = shownWait(this.#state, this.#parking.waiting ?? this.#uploads?.waiting, Date.now());
    const isPaused = this.#paused && this.#state !== 'listing';
    return {
      state: shownState(this.#state, { isWaiting: waiting !== null, isPaused }),
      counts: this.#tally.counts,
      uploading: this.#uploads?.paths ?? [],
      waiting,
      startedAtMs: this.#startedAtMs,
    };
  }

  async #dryRun(): Promise<SyncResult> {
    const batch = await this.#plan(() => this.#calls.decide(this.#learning), true);
    this.#tally.begin(batch.totals);
    this.#tally.toDelete(batch.deletionCount);
    this.#deletionsHeld = this.#request.delete ? (this.#memoryProblem ?? batch.deletionsHeld) : batch.deletionsHeld;
    this.#enter('completed');
    return { ...this.#result(), decisions: batch.decisions, decisionsOmitted: batch.decisionsOmitted };
  }

  async #sendAll(isFirst: boolean): Promise<void> {
    if (!isFirst && !(await this.#startPlanned())) return;
    let batch = await this.#plan(() => this.#calls.planUploads(this.#sentUpTo, this.#learning), isFirst);
    if (isFirst) this.#begin(batch);
    if (batch.hasDeletions) this.#firstDeletions = batch;
    this.#enter('uploading');
    for (;;) {
      this.#learn(batch);
      if (batch.packsEarly) await this.#packEarly();
      this.#planned = batch.uploads;
      this.#sentUpTo = batch.uploads.at(-1)?.path ?? this.#sentUpTo;
      if (!(await this.#startPlanned())) return;
      const next = batch.hasDeletions ? null : batch.next;
      if (next === null) break;
      this.#sentUpTo = next;
      if (this.#isHandOverDue) return;
      batch = await this.#plan(() => this.#calls.planUploads(next, this.#learning), false);
    }
    await condition(() => this.#window.isEmpty);
    this.#uploadsDone = true;
    if (!this.#request.delete) this.#enter('completed');
  }

  /** @returns false if the next execution starts the rest */
  async #startPlanned(): Promise<boolean> {
    const uploads = this.#uploads;
    if (!uploads) return true;
    const loads = loadsOf(this.#planned);
    for (const [index, load] of loads.entries()) {
      await condition(() => (uploads.hasRoom(load) && !this.#paused) || this.#isHandOverDue);
      this.#planned = loads.slice(index).flat();
      if (this.#isHandOverDue) return false;
      uploads.start(load);
    }
    this.#planned = [];
    return true;
  }

  /** @throws ApplicationFailure when more is to be sent than the request allows */
  #begin({ totals }: SyncBatch): void {
    this.#tally.begin(totals);
    const { maxFiles } = this.#request;
    if (maxFiles === undefined || totals.toSend.files <= maxFiles) return;
    const message = `${totals.toSend.files} files are to be sent and maxFiles is ${maxFiles}; nothing was sent. A dry run says which they are`;
    throw ApplicationFailure.nonRetryable(message, FailureType.TooManyFiles);
  }

  #learn({ recognised, forget }: Pick<SyncBatch, 'recognised' | 'forget'>): void {
    for (const entry of recognised) this.#remember(entry);
    for (const path of forget) this.#forgotten.add(path);
  }

  #remember(entry: RememberedFile): void {
    this.#learnt.set(entry.path, entry);
    this.#learntBytes += utf8Length(entry.path) + ROW_BYTES;
  }

  /** Before the entries are too many for the input of one activity. */
  async #packEarly(): Promise<void> {
    if (this.#learntBytes >= PACK_AT_BYTES) await this.#pack();
  }

  #sent({ path, sizeBytes, version, change }: PlannedUpload, sent: SentFile): void {
    const { fileId, md5, createdAt } = sent;
    const entry = { path, sizeBytes, version, fileId, md5, createdAt };
    this.#remember(change === undefined ? entry : { ...entry, change });
    this.#tally.sent(sizeBytes);
  }

  #notSent(problem: SyncProblem): void {
    const { path, failureType } = problem;
    if (failureType === FailureType.SourceChanged) this.#tally.postponed(stillWritten(path));
    else if (failureType === FailureType.SourceArchived) this.#tally.leftOut(problem);
    else this.#tally.uploadFailed(problem);
  }

  /** Files are deleted only when all else went well: a failed upload may be the new home of what would go. */
  async #deleteGone(): Promise<void> {
    this.#enter('deleting');
    await this.#pack();
    let after: string | null = null;
    for (;;) {
      if (this.#tally.uploadsFailed > 0) this.#deletionsHeld = `${this.#tally.uploadsFailed} uploads failed`;
      this.#deletionsHeld ??= this.#memoryProblem ?? null;
      if (this.#deletionsHeld !== null) break;
      const place: string | null = after;
      const batch: SyncBatch =
        this.#firstDeletions ?? (await this.#plan(() => this.#calls.planDeletions(place, this.#learning), false));
      this.#firstDeletions = undefined;
      this.#deletionsHeld = batch.deletionsHeld;
      if (after === null) this.#tally.toDelete(this.#tally.counts.deleted + batch.deletionCount);
      for (const planned of batch.deletions) {
        const bytes = commandBytes(planned);
        await condition(() => (this.#window.hasRoom(bytes) && !this.#paused) || this.#isHandOverDue);
        if (this.#isHandOverDue) return;
        this.#window.start(bytes, () => this.#delete(planned));
      }
      if (batch.next === null) break;
      after = batch.next;
    }
    await condition(() => this.#window.isEmpty);
    this.#enter('completed');
  }

  async #delete(planned: PlannedDeletion): Promise<void> {
    const { path } = planned;
    try {
      await this.#parking.insist(() => this.#calls.deleteFile(planned));
      this.#forgotten.add(path);
      this.#tally.deleted();
    } catch (error) {
      if (!isCancellation(error)) this.#tally.failed(uploadProblem(path, error));
    }
    this.#publish();
  }

  /** Takes what was learnt into the memory, if anything was. */
  async #pack(): Promise<void> {
    if (this.#learnt.size === 0 && this.#forgotten.size === 0) return;
    const [add, remove] = [[...this.#learnt.values()], [...this.#forgotten]];
    this.#memory = await this.#calls.packMemory(this.#known, add, remove);
    for (const entry of add) if (this.#learnt.get(entry.path) === entry) this.#learnt.delete(entry.path);
    for (const path of remove) this.#forgotten.delete(path);
    this.#learntBytes = 0;
  }

  /** Accepts the memory of the last run, as any caller can pass it: an unusable one is ignored, and reported. */
  #recalled(value: unknown): void {
    const { memory, problem } = checkMemory(value);
    this.#memory = memory;
    if (problem !== undefined) this.#memoryProblem = memoryProblemOf(problem);
  }

  /** Waits for what a person can repair; a source that is missing at the very start is told at once. */
  async #plan(call: () => Promise<SyncBatch>, isFirst: boolean): Promise<SyncBatch> {
    const batch = await this.#parking.insist(() =>
      call().catch((error: unknown) => {
        const cause = error instanceof ActivityFailure ? error.cause : undefined;
        this.#facts = detailsOf(error) ?? this.#facts;
        this.#shown.use(detailsOf(error)?.hasAttributes);
        const isMissing = cause instanceof ApplicationFailure && cause.type === FailureType.SourceMissing;
        throw isFirst && isMissing ? cause : error;
      }),
    );
    this.#leftToRead = 0;
    this.#lists.took(batch);
    if (batch.relisted) this.#tally.relisted(batch.relisted);
    const { memoryProblem } = batch.totals;
    if (memoryProblem !== undefined) {
      this.#memoryProblem = memoryProblem;
      // Otherwise each further run would get it and report it again.
      this.#memory = null;
    }
    return batch;
  }

  get #known(): SyncMemory | null {
    return this.#memory ?? null;
  }

  get #isHandOverDue(): boolean {
    return workflowInfo().continueAsNewSuggested;
  }

  #carried(): Required<SyncHandover>['run'] {
    const carried = {
      request: this.#request,
      hasAttributes: this.#admitted?.hasAttributes ?? false,
      planId: this.#planId,
      sentUpTo: this.#sentUpTo,
      planned: this.#planned,
      uploadsDone: this.#uploadsDone,
      ...this.#tally.toJSON(),
      paused: this.#paused,
      startedAtMs: this.#startedAtMs,
      memoryProblem: this.#memoryProblem,
    };
    const roomBytes = PayloadLimits.payload - jsonBytes([this.#request, { memory: this.#known, run: carried }]);
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
      deletionsHeld: this.#deletionsHeld,
      durationMs: Date.now() - this.#startedAtMs,
      memoryProblem: this.#memoryProblem,
      memory: this.#known,
    };
  }

  #enter(state: SyncState): void {
    this.#state = state;
    this.#publish();
  }

  #publish(): void {
    const progress = this.progress();
    setCurrentDetails(
      describeSync(progress, {
        ...this.#pace.measure(progress.counts.sent.bytes),
        leftToRead: this.#leftToRead,
        reason: this.#endReason,
      }),
    );
    const reason = this.#endReason ?? this.#tally.firstProblem?.failureType;
    const isHeld = progress.state === 'paused' || progress.state === 'waiting';
    this.#shown.show(syncAttributes(progress, this.#subject, reason), isHeld && progress.uploading.length === 0);
  }
}
