import {
  CancellationScope,
  condition,
  isCancellation,
  log,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { HashCheckpoint, SourceInfo } from '../src/contracts/activities.ts';
import { Defaults } from '../src/contracts/limits.ts';
import type { RetuneInput } from '../src/contracts/names.ts';
import type {
  UploadedFile,
  UploadLimit,
  UploadProgress,
  UploadRequest,
  UploadResult,
  UploadState,
  WaitingInfo,
} from '../src/contracts/upload.ts';
import { uploadAttributes } from '../src/core/attribute-values.ts';
import { describeProgress } from '../src/core/describe-progress.ts';
import { planParts } from '../src/core/part-plan.ts';
import { mostPartsUnder } from '../src/core/rate-limit.ts';
import { SessionBudget, type CarriedSessions } from '../src/core/session-budget.ts';
import { countEnd, countReplacedSession } from './counters.ts';
import { lastSessionLost, OpenSession, type CarriedSession } from './open-session.ts';
import { Pace } from './pace.ts';
import { Parking } from './parking.ts';
import { PartWindow } from './part-window.ts';
import { ShownAttributes } from './shown-attributes.ts';
import { UploadCalls } from './upload-calls.ts';

/** What an execution hands to its successor when its history has grown long. Plain JSON. */
export interface CarriedUpload extends CarriedSessions {
  readonly source: SourceInfo;
  readonly session: CarriedSession;
  readonly partsSent: number;
  readonly md5: string | null;
  readonly hashCheckpoint: HashCheckpoint | null;
  readonly paused: boolean;
  readonly waiting: WaitingInfo | null;
  readonly concurrency: number;
  readonly nextPartSizeBytes: number | null;
  readonly limit?: UploadLimit | null;
  readonly startedAtMs: number;
}

/** The state of one upload, and the steps that move it on. */
export class UploadRun {
  readonly #request: UploadRequest;
  readonly #calls: UploadCalls;
  readonly #shown = new ShownAttributes();
  readonly #startedAtMs: number;
  readonly #pace = new Pace();
  /** One for each kind of call: that a session can be opened, or the file be read, doesn't mean that parts go through. */
  readonly #parking: Parking;
  readonly #partParking: Parking;
  readonly #hashParking: Parking;
  readonly #sessions: SessionBudget;
  readonly #hashScope = new CancellationScope();
  #state: UploadState;
  #paused: boolean;
  #concurrency: number;
  #nextPartSizeBytes: number | null;
  #limit: UploadLimit | null;
  #source: SourceInfo | undefined;
  #session: OpenSession | undefined;
  #window: PartWindow | undefined;
  #partsSent: number;
  #md5: string | null;
  #hashCheckpoint: HashCheckpoint | null;
  #hashFailure: { readonly error: unknown } | undefined;
  /** Once it has ended. */
  #end: { readonly fileId?: string; readonly reason?: string | undefined } = {};

  constructor(request: UploadRequest, carried?: CarriedUpload) {
    this.#request = request;
    this.#calls = new UploadCalls(request);
    const giveUpAfterMs = request.giveUpAfterMs ?? Defaults.giveUpAfterMs;
    const onChange = () => this.#publish();
    this.#parking = new Parking(giveUpAfterMs, onChange);
    this.#partParking = new Parking(giveUpAfterMs, onChange, carried?.waiting ?? undefined);
    this.#hashParking = new Parking(giveUpAfterMs, onChange);
    this.#state = carried ? 'uploading' : 'inspecting';
    this.#source = carried?.source;
    this.#session = carried && OpenSession.of(carried.session);
    this.#sessions = new SessionBudget(request.maxSessions ?? Defaults.maxSessions, carried);
    this.#partsSent = carried?.partsSent ?? 0;
    this.#md5 = carried?.md5 ?? null;
    this.#hashCheckpoint = carried?.hashCheckpoint ?? null;
    this.#paused = carried?.paused ?? false;
    this.#concurrency = carried?.concurrency ?? request.concurrency ?? Defaults.concurrency;
    this.#nextPartSizeBytes = carried?.nextPartSizeBytes ?? request.partSizeBytes ?? null;
    const { limitBytesPerSecond: bytesPerSecond } = request;
    this.#limit = carried?.limit ?? (bytesPerSecond === undefined ? null : { bytesPerSecond, revision: 0 });
    this.#startedAtMs = carried?.startedAtMs ?? Date.now();
  }

  get isCompleting(): boolean {
    return this.#state === 'completing' || this.#state === 'completed';
  }

  /** Runs to the end, or to the point where the history is long enough to be handed over. */
  async run(): Promise<UploadResult | CarriedUpload> {
    this.#publish();
    const source = (this.#source ??= await this.#parking.insist(() => this.#calls.inspect()));
    const hashing = this.#hash(source);
    try {
      for (;;) {
        const session = (this.#session ??= await this.#openSession(source));
        try {
          await this.#sendParts(source, session);
          if (!session.ledger.complete) return await this.#handOver(source, session, hashing);
          await hashing;
          if (this.#hashFailure) throw this.#hashFailure.error;
          return this.#receipt(source, session, await this.#complete(session));
        } catch (error) {
          if (this.#partParking.waiting) this.#sessions.excuse();
          const isLost = session.isLostBy(error);
          const isWorthAnother = isLost || (OpenSession.isWrongMd5(error) && this.#sessions.forgiveWrongMd5());
          if (!isWorthAnother) throw error;
          const { opened, left: sessionsLeft } = this.#sessions;
          if (sessionsLeft < 1) throw isLost ? lastSessionLost(error, opened) : error;
          const { uploadId } = session.info;
          log.warn('The session is lost; its parts are sent again in a new one', { uploadId, sessionsLeft });
          countReplacedSession(session.ledger.bytesDone);
          await this.#cancelSession();
          this.#session = undefined;
        }
      }
    } finally {
      this.#hashScope.cancel();
      await CancellationScope.nonCancellable(() => hashing);
    }
  }

  /** Holds further parts back, and returns when none is in flight. */
  async pause(parts: 'finish' | 'stop'): Promise<void> {
    this.#paused = true;
    this.#publish();
    if (parts === 'stop') this.#window?.stopParts();
    await condition(() => !this.#paused || (this.#session?.ledger.out ?? 0) === 0);
    this.#publish();
  }

  resume(): void {
    this.#paused = false;
    this.#publish();
  }

  retune({ concurrency, partSizeBytes, limitBytesPerSecond }: RetuneInput): void {
    this.#concurrency = concurrency ?? this.#concurrency;
    this.#nextPartSizeBytes = partSizeBytes ?? this.#nextPartSizeBytes;
    if (limitBytesPerSecond !== undefined) {
      this.#limit = { bytesPerSecond: limitBytesPerSecond, revision: (this.#limit?.revision ?? 0) + 1 };
    }
    this.#publish();
  }

  /** Goes on at once with what the upload waits for; nothing happens when it doesn't wait. */
  retry(): void {
    this.#parking.retry();
    this.#partParking.retry();
    this.#hashParking.retry();
  }

  /**
   * Cancels the session, whatever ended the upload; nothing is sent after this.
   *
   * @param reason of its failure, as `reasonOfFailure` tells it
   */
  async abandon(state: 'cancelled' | 'failed', reason?: string): Promise<void> {
    await CancellationScope.nonCancellable(() => this.#cancelSession());
    this.#end = { reason };
    this.#enter(state);
  }

  progress(): UploadProgress {
    const ledger = this.#session?.ledger;
    const waiting = this.#parking.waiting ?? this.#partParking.waiting ?? this.#hashParking.waiting;
    const held: UploadState | undefined = waiting
      ? 'waiting'
      : this.#paused && this.#state === 'uploading'
        ? 'paused'
        : undefined;
    const isOver = this.#state === 'completed' || this.#state === 'failed' || this.#state === 'cancelled';
    return {
      state: isOver ? this.#state : (held ?? this.#state),
      filename: this.#calls.subject.filename,
      bytesTotal: this.#source?.sizeBytes ?? 0,
      bytesDone: ledger?.bytesDone ?? 0,
      partSizeBytes: ledger?.plan.partSizeBytes ?? 0,
      partsTotal: ledger?.plan.partCount ?? 0,
      partsDone: ledger?.done ?? 0,
      partsInFlight: ledger?.out ?? 0,
      concurrency: this.#concurrency,
      limit: this.#limit,
      session: this.#session?.info ?? null,
      sessionEndsTooEarly: this.#session?.endsTooEarly ?? false,
      sessionsOpened: this.#sessions.opened,
      orphanedSessions: this.#sessions.orphaned,
      waiting: waiting ?? null,
      md5: this.#md5,
      startedAtMs: this.#startedAtMs,
    };
  }

  async #openSession(source: SourceInfo): Promise<OpenSession> {
    this.#enter('creating');
    const { unanswered = 0, ...info } = await this.#parking.insist(() => this.#calls.create(source));
    this.#sessions.open(unanswered);
    return new OpenSession(info, planParts(source.sizeBytes, this.#nextPartSizeBytes ?? undefined));
  }

  /** The md5 runs beside the parts, and its failure waits until somebody asks for the outcome. */
  async #hash(source: SourceInfo): Promise<void> {
    if (this.#request.md5 === false || this.#md5 !== null) return;
    try {
      const hash = () => this.#calls.hash(source, this.#hashCheckpoint);
      const outcome = await this.#hashScope.run(() => this.#hashParking.insist(hash));
      if ('md5' in outcome) this.#md5 = outcome.md5;
      else this.#hashCheckpoint = outcome.checkpoint;
    } catch (error) {
      this.#hashFailure = { error };
    }
  }

  async #sendParts(source: SourceInfo, session: OpenSession): Promise<void> {
    this.#enter('uploading');
    this.#window = new PartWindow(session.ledger);
    const isHandOverDue = () => workflowInfo().continueAsNewSuggested;
    await this.#window.run({
      send: (partNumber) => this.#partParking.attempt(() => this.#sendPart(partNumber, source, session)),
      // While the upload waits, one part finds out whether it may go on.
      limit: () => (this.#partParking.waiting ? 1 : this.#mostParts),
      onGivenBack: () => this.#publish(),
      mayStart: () => !this.#paused && this.#partParking.isOpen && !session.isOver,
      until: () => this.#hashFailure !== undefined || isHandOverDue() || (session.isOver && !this.#paused),
    });
    if (this.#hashFailure) throw this.#hashFailure.error;
    if (!session.ledger.complete && !isHandOverDue()) session.assertTime();
  }

  get #mostParts(): number {
    const bytesPerSecond = this.#limit?.bytesPerSecond ?? 0;
    return bytesPerSecond === 0 ? this.#concurrency : Math.min(this.#concurrency, mostPartsUnder(bytesPerSecond));
  }

  async #sendPart(partNumber: number, source: SourceInfo, session: OpenSession): Promise<void> {
    try {
      const { partId, attempt } = await this.#calls.sendPart(partNumber, source, session, this.#limit);
      session.ledger.record(partNumber, partId);
      this.#partsSent += attempt;
      if (attempt > 1) session.resent = true;
    } catch (error) {
      if (!isCancellation(error)) this.#partsSent += session.noteFailedPart(error);
      throw error;
    }
    session.warnOfEarlyEnd();
    this.#publish();
  }

  async #complete(session: OpenSession): Promise<UploadedFile> {
    this.#enter('completing');
    let calls = 0;
    return this.#parking.insist(() => this.#calls.complete(session, this.#md5, calls++ > 0));
  }

  #receipt(source: SourceInfo, session: OpenSession, file: UploadedFile): UploadResult {
    this.#end = { fileId: file.id };
    this.#enter('completed');
    return {
      workflowId: workflowInfo().workflowId,
      uploadId: session.info.uploadId,
      file,
      bytes: source.sizeBytes,
      md5: this.#md5,
      parts: session.ledger.plan.partCount,
      partsSent: this.#partsSent,
      sessions: this.#sessions.opened,
      orphanedSessions: this.#sessions.orphaned,
      durationMs: Date.now() - this.#startedAtMs,
    };
  }

  async #handOver(source: SourceInfo, session: OpenSession, hashing: Promise<void>): Promise<CarriedUpload> {
    // Told to stop, the hash answers with a checkpoint, which the next execution goes on from.
    this.#hashScope.cancel();
    await hashing;
    return {
      source,
      session: session.toJSON(),
      ...this.#sessions.toJSON(),
      partsSent: this.#partsSent,
      md5: this.#md5,
      hashCheckpoint: this.#hashCheckpoint,
      paused: this.#paused,
      waiting: this.#partParking.waiting ?? null,
      concurrency: this.#concurrency,
      nextPartSizeBytes: this.#nextPartSizeBytes,
      limit: this.#limit,
      startedAtMs: this.#startedAtMs,
    };
  }

  async #cancelSession(): Promise<void> {
    const session = this.#session;
    if (!session) return;
    try {
      await this.#calls.cancel(session);
    } catch (error) {
      log.warn('The session could not be cancelled; it expires by itself', { ...session.info, error });
    }
  }

  #enter(state: UploadState): void {
    this.#state = state;
    countEnd(state);
    this.#publish();
  }

  #publish(): void {
    const progress = this.progress();
    const context = { ...this.#pace.measure(progress.bytesDone), ...this.#end, partsSent: this.#partsSent };
    setCurrentDetails(describeProgress(progress, context));
    const isHeld = progress.state === 'paused' || progress.state === 'waiting';
    const attributes = uploadAttributes(progress, this.#calls.subject, this.#end);
    this.#shown.show(attributes, isHeld && progress.partsInFlight === 0);
  }
}
