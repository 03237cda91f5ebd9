import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import type { InspectSourceResult, SourceInfo } from '../../src/contracts/activities.ts';
import { FailureType, type FailureDetails } from '../../src/contracts/failures.ts';
import type {
  FullUploadRequest,
  UploadedFile,
  UploadProgress,
  UploadRequest,
  UploadResult,
  UploadState,
} from '../../src/contracts/upload.ts';
import { uploadEndLine, type End, type EndLine } from '../../src/core/show/end-line.ts';
import { partSizeProblem, partSizeWithin, planParts } from '../../src/core/upload/plan.ts';
import { partIdsProblem } from '../../src/core/payload.ts';
import { SessionBudget, type CarriedSessions } from '../../src/core/upload/sessions.ts';
import { shownState, shownWait } from '../../src/core/show/attributes.ts';
import { ignoreInodeProblem, UploadTuning, type CarriedTuning } from '../../src/core/upload/tuning.ts';
import { countEnd, countReplacedSession } from '../shell/counters.ts';
import { HandOver, type Control, type Run } from '../shell/define-workflow.ts';
import { ExpectedSource, otherContent } from './expected-source.ts';
import { detailsOf, isNotDone, unansweredBy } from '../shell/failures.ts';
import { firstName, type RawRequest } from '../shell/requests.ts';
import { lastSessionLost, OpenSession, type CarriedSession } from './open-session.ts';
import type { ParentReports } from '../shell/parent-reports.ts';
import { HandOverDue } from '../shell/waiting.ts';
import { PartWindow } from './part-window.ts';
import { SourceHash, type CarriedHash } from './source-hash.ts';
import { ShownUpload } from './shown-upload.ts';
import { UploadCalls } from './calls.ts';
import { UploadWaits, type CarriedWaits } from './waits.ts';

/** State for the next execution after a long history, as plain JSON. */
export interface CarriedUpload extends CarriedSessions, CarriedHash, CarriedTuning, CarriedWaits {
  /** As `ExpectedSource.isOther`. @defaultValue false */
  readonly otherInode?: boolean;
  /** Omitted before the inspection. */
  readonly source?: InspectSourceResult;
  /** Omitted if no session is open. */
  readonly session?: CarriedSession;
  readonly partsSent: number;
  readonly paused: boolean;
  /** Whether a completion of the session can have succeeded without a response. @defaultValue false */
  readonly mayBeCompleted?: boolean;
  readonly startedAtMs: number;
}

/** The state of one upload, and its steps. */
export class UploadRun implements Run<UploadResult, CarriedUpload, UploadProgress> {
  readonly #raw: RawRequest;
  readonly #reports: ParentReports;
  readonly #calls: UploadCalls;
  readonly #shown = new ShownUpload();
  readonly #startedAtMs: number;
  readonly #waits: UploadWaits;
  readonly #sessions: SessionBudget;
  readonly #hash: SourceHash;
  readonly #tuning: UploadTuning;
  readonly #expected: ExpectedSource;
  /** Request properties in the last failure of the first activity. */
  #known: Pick<FailureDetails, 'subject' | 'giveUpAfterMs'> = {};
  #state: UploadState;
  #paused: boolean;
  #source: InspectSourceResult | undefined;
  #session: OpenSession | undefined;
  #window: PartWindow | undefined;
  #partsSent: number;
  /** Whether a completion of the session can have succeeded without a response. */
  #mayBeCompleted: boolean;
  /** Once it has ended. */
  #end: { readonly fileId?: string; readonly reason?: string | undefined } = {};

  constructor(request: UploadRequest, carried: CarriedUpload | undefined, reports: ParentReports) {
    this.#reports = reports;
    this.#raw = { ...request };
    this.#calls = new UploadCalls(this.#raw);
    const giveUpAfterMs = () => this.#source?.request.giveUpAfterMs ?? this.#known.giveUpAfterMs ?? 0;
    this.#waits = new UploadWaits(giveUpAfterMs, () => this.#publish(), carried);
    this.#hash = new SourceHash(this.#calls, this.#waits.hash, carried);
    this.#session = carried?.session && OpenSession.of(carried.session);
    this.#state = this.#session ? 'uploading' : carried?.source ? 'creating' : 'inspecting';
    this.#mayBeCompleted = carried?.mayBeCompleted ?? false;
    this.#sessions = new SessionBudget(() => this.#request.maxSessions, carried);
    this.#partsSent = carried?.partsSent ?? 0;
    this.#paused = carried?.paused ?? false;
    this.#tuning = new UploadTuning(carried);
    this.#expected = new ExpectedSource(this.#tuning, carried?.otherInode);
    this.#startedAtMs = carried?.startedAtMs ?? Date.now();
    if (carried?.source) this.#admit(carried.source);
  }

  get #request(): FullUploadRequest {
    if (!this.#source) throw new Error('the request is not available before the source is inspected');
    return this.#source.request;
  }

  /** Runs until the end, or until the history is long enough for continue-as-new. */
  async run(): Promise<UploadResult | HandOver<CarriedUpload>> {
    this.#publish();
    try {
      return await this.#run();
    } catch (error) {
      if (error instanceof HandOverDue) return new HandOver(this.#carried());
      throw error;
    }
  }

  async #run(): Promise<UploadResult> {
    const source = this.#source ?? this.#admit(await this.#waits.calls.repeat(() => this.#inspect()));
    const wantsMd5 = this.#request.md5;
    const hashing = wantsMd5 && !source.isSmall ? this.#hash.run(source, this.#expected.call) : Promise.resolve();
    try {
      for (;;) {
        const session = (this.#session ??= await this.#openSession(source));
        try {
          await this.#sendParts(source, session);
          if (!session.ledger.complete) throw new HandOverDue();
          await hashing;
          this.#hash.assertSound();
          // It was cut into parts, because the part size was changed by `retune`.
          if (wantsMd5 && source.isSmall) await this.#hash.run(source, this.#expected.call);
          this.#hash.assertSound();
          return this.#receipt(source, session, await this.#complete(session));
        } catch (error) {
          if (error instanceof HandOverDue) throw error;
          if (this.#expected.isOther && OpenSession.isWrongMd5(error)) throw otherContent(error);
          // Only once, even if both conditions are true. Otherwise an upload could use an additional session.
          const isExcused =
            this.#waits.hasWaitedIn(session) || session.smallerPartSizeBytes(error, source.limits) !== undefined;
          if (isExcused) this.#sessions.excuse();
          const isLost = session.isLostBy(error);
          if (!isLost && !this.#mayTryAnother(error, source, session)) throw error;
          const { opened, left: sessionsLeft } = this.#sessions;
          if (sessionsLeft < 1) throw isLost ? lastSessionLost(error, opened) : error;
          const { uploadId } = session.info;
          log.warn('the session is lost, and its parts are resent in a new session', { uploadId, sessionsLeft });
          countReplacedSession(session.ledger.bytesDone);
          // Also if the upload is cancelled now, because no later step cancels this session.
          const file = await CancellationScope.nonCancellable(() => this.#cancelSession());
          if (file) return this.#receipt(source, session, file);
          this.#session = undefined;
          this.#mayBeCompleted = false;
        }
      }
    } finally {
      this.#hash.stop();
      await CancellationScope.nonCancellable(() => hashing);
    }
  }

  async #inspect(): Promise<InspectSourceResult> {
    try {
      return await this.#calls.inspect();
    } catch (error) {
      this.#known = detailsOf(error) ?? this.#known;
      this.#shown.use(detailsOf(error)?.hasAttributes);
      throw error;
    }
  }

  #admit(source: InspectSourceResult): InspectSourceResult {
    this.#source = source;
    this.#calls.admit(source.request);
    this.#tuning.admit(source.request);
    this.#shown.use(source.hasAttributes);
    return source;
  }

  /** Whether a new session can succeed although this session is not lost. */
  #mayTryAnother(error: unknown, { limits }: InspectSourceResult, session: OpenSession): boolean {
    const partSizeBytes = session.smallerPartSizeBytes(error, limits);
    if (partSizeBytes !== undefined) {
      log.warn('the service rejects parts of this size (413), so a new session uses smaller parts', {
        partSizeBytes: session.ledger.plan.partSizeBytes,
        nextPartSizeBytes: partSizeBytes,
      });
      this.#tuning.retune({ partSizeBytes });
      return true;
    }
    if (OpenSession.isWrongMd5(error)) return this.#sessions.forgiveWrongMd5();
    return OpenSession.isRejectedPart(error) && this.#sessions.forgiveRejectedPart();
  }

  rejects(control: Control): string | undefined {
    const isCompleting = this.#state === 'completing' || this.#state === 'completed';
    if (control.type === 'pause' && isCompleting && control.whileCompleting !== true)
      return 'cannot pause: the upload is completing';
    if (control.type !== 'retune') return undefined;
    const { md5, source } = this.#source?.request ?? this.#raw;
    const { type } = (source ?? {}) as { readonly type?: unknown };
    const problem = this.#source && partSizeProblem(this.#source.limits, control.partSizeBytes);
    return problem ?? ignoreInodeProblem({ md5, source: { type }, ignoreInode: control.ignoreInode });
  }

  apply(control: Control): UploadProgress | Promise<UploadProgress> {
    if (control.type === 'pause') return this.#pause(control.parts ?? 'finish');
    if (control.type === 'resume') this.#paused = false;
    else if (control.type === 'retune') this.#tuning.retune(control);
    else this.#waits.retry();
    if (control.type !== 'retry') this.#publish();
    return this.progress();
  }

  /** Starts no further parts, and returns when no part is in flight. */
  async #pause(parts: 'finish' | 'stop'): Promise<UploadProgress> {
    this.#paused = true;
    this.#publish();
    if (parts === 'stop') this.#window?.stopParts();
    await condition(() => !this.#paused || (this.#session?.ledger.out ?? 0) === 0);
    this.#publish();
    return this.progress();
  }

  /**
   * Cancels the session after any failure or cancellation. Nothing is sent after this.
   *
   * @param reason of the failure, as `reasonOfFailure` returns it
   * @returns the result of an upload whose completion succeeded without a response
   */
  async abandon(state: 'cancelled' | 'failed', reason: string): Promise<UploadResult | undefined> {
    const file = await CancellationScope.nonCancellable(() => this.#cancelSession());
    if (file && this.#source && this.#session) return this.#receipt(this.#source, this.#session, file);
    this.#end = { reason };
    this.#enter(state);
    return undefined;
  }

  endLine(end: End): EndLine {
    return uploadEndLine(end, this.progress(), Date.now());
  }

  progress(): UploadProgress {
    const ledger = this.#session?.ledger;
    const waiting = shownWait(this.#state, this.#waits.waiting, Date.now());
    const isPaused = this.#paused && this.#state === 'uploading';
    return {
      kind: 'upload',
      state: shownState(this.#state, { isWaiting: waiting !== null, isPaused }),
      filename: (this.#source?.request ?? this.#known.subject)?.filename ?? firstName(this.#raw),
      bytesTotal: this.#source?.sizeBytes ?? 0,
      bytesDone: ledger?.bytesDone ?? 0,
      partSizeBytes: ledger?.plan.partSizeBytes ?? 0,
      partsTotal: ledger?.plan.partCount ?? 0,
      partsDone: ledger?.done ?? 0,
      partsInFlight: ledger?.out ?? 0,
      concurrency: this.#tuning.concurrency,
      limit: this.#tuning.limit,
      session: this.#session?.info ?? null,
      sessionEndsTooEarly: this.#session?.endsTooEarly ?? false,
      sessionsOpened: this.#sessions.opened,
      orphanedSessions: this.#sessions.orphaned,
      waiting,
      md5: this.#hash.md5,
      startedAtMs: this.#startedAtMs,
    };
  }

  async #openSession(source: InspectSourceResult): Promise<OpenSession> {
    this.#enter('creating');
    const create = () =>
      this.#calls.create(source).catch((error: unknown) => {
        this.#sessions.orphan(unansweredBy(error));
        throw error;
      });
    const { unanswered = 0, ...info } = await this.#waits.calls.repeat(create);
    this.#sessions.open(unanswered);
    const { sizeBytes, limits } = source;
    const partSizeBytes = partSizeWithin(limits, sizeBytes, this.#tuning.nextPartSizeBytes);
    return new OpenSession(info, planParts(sizeBytes, partSizeBytes));
  }

  async #sendParts(source: InspectSourceResult, session: OpenSession): Promise<void> {
    this.#enter('uploading');
    this.#window = new PartWindow(session.ledger);
    const isHandOverDue = () => workflowInfo().continueAsNewSuggested;
    const mostInFlight = this.#calls.mostPartsInFlight(source);
    await this.#window.run({
      send: (partNumber) => this.#waits.parts.attempt(() => this.#sendPart(partNumber, source, session)),
      // While the upload waits, one part is retried.
      limit: () => (this.#waits.parts.info ? 1 : Math.min(this.#tuning.mostParts, mostInFlight)),
      onGivenBack: () => this.#publish(),
      mayStart: () => !this.#paused && this.#waits.parts.isOpen && !session.isOver,
      until: () => this.#hash.hasFailed || isHandOverDue() || (session.isOver && !this.#paused),
    });
    this.#hash.assertSound();
    if (!session.ledger.complete && !isHandOverDue()) session.assertTime();
  }

  async #sendPart(partNumber: number, source: InspectSourceResult, session: OpenSession): Promise<true> {
    try {
      const isWhole = session.ledger.plan.partCount === 1;
      const withMd5 = isWhole && source.isSmall === true && this.#request.md5;
      const sent = await this.#expected.call(source, (expected) =>
        this.#calls.sendPart(partNumber, expected, session, this.#tuning.limit, withMd5),
      );
      const { partId, attempt, md5 } = sent;
      const tooLong = partIdsProblem(session.ledger.plan.partCount, partId);
      if (tooLong !== undefined) throw ApplicationFailure.nonRetryable(tooLong, FailureType.PayloadTooLarge);
      session.ledger.record(partNumber, partId);
      if (md5 !== undefined) this.#hash.adopt(md5);
      this.#partsSent += attempt;
      if (attempt > 1) session.resent = true;
    } catch (error) {
      if (isCancellation(error)) session.noteStoppedPart();
      else this.#partsSent += session.noteFailedPart(error);
      throw error;
    }
    session.warnOfEarlyEnd();
    this.#publish();
    return true;
  }

  async #complete(session: OpenSession): Promise<UploadedFile> {
    this.#enter('completing');
    return this.#waits.calls.repeat(() =>
      this.#calls.complete(session, this.#hash.md5, this.#mayBeCompleted).catch((error: unknown) => {
        this.#mayBeCompleted ||= !isNotDone(error);
        throw error;
      }),
    );
  }

  #receipt(source: SourceInfo, session: OpenSession, file: UploadedFile): UploadResult {
    this.#end = { fileId: file.id };
    this.#enter('completed');
    return {
      workflowId: workflowInfo().workflowId,
      uploadId: session.info.uploadId,
      file,
      bytes: source.sizeBytes,
      md5: this.#hash.md5,
      parts: session.ledger.plan.partCount,
      partSizeBytes: session.ledger.plan.partSizeBytes,
      partsSent: this.#partsSent,
      sessions: this.#sessions.opened,
      orphanedSessions: this.#sessions.orphaned,
      durationMs: Date.now() - this.#startedAtMs,
    };
  }

  #carried(): CarriedUpload {
    return {
      source: this.#source,
      session: this.#session ? this.#session.toJSON() : undefined,
      ...this.#sessions.toJSON(),
      partsSent: this.#partsSent,
      ...this.#hash.toJSON(),
      ...this.#tuning.toJSON(),
      otherInode: this.#expected.isOther ? true : undefined,
      paused: this.#paused,
      ...this.#waits.toJSON(),
      mayBeCompleted: this.#mayBeCompleted ? true : undefined,
      startedAtMs: this.#startedAtMs,
    };
  }

  /** @returns the File of the session, if a completion without a clear response succeeded */
  async #cancelSession(): Promise<UploadedFile | undefined> {
    const session = this.#session;
    if (!session) return undefined;
    try {
      return await this.#calls.cancel(session, this.#mayBeCompleted, this.#hash.md5);
    } catch (error) {
      log.warn('cannot cancel the session, which expires automatically', { ...session.info, error });
      return undefined;
    }
  }

  #enter(state: UploadState): void {
    this.#state = state;
    countEnd(state);
    this.#publish();
  }

  #publish(): void {
    const isSmall = this.#source?.isSmall === true;
    // The parent receives the result separately.
    const hasEnded = ['completed', 'failed', 'cancelled'].includes(this.#state);
    if (!hasEnded) this.#reports.waits(this.#waits.waiting ?? null);
    const subject = this.#source?.request ?? this.#known.subject;
    this.#shown.show(this.progress(), { ...this.#end, subject, partsSent: this.#partsSent, isSmall });
  }
}
