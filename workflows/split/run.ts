import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  condition,
  isCancellation,
  log,
  setCurrentDetails,
  startChild,
  TerminatedFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlanSplitResult } from '../../src/contracts/activities.ts';
import {
  FailureType,
  type FailureDetails,
  type JobSubject,
  type PiecesFailedDetails,
} from '../../src/contracts/failures.ts';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import { UpdateName, WorkflowName, type PauseInput, type RetuneInput } from '../../src/contracts/names.ts';
import type { ByteRange } from '../../src/contracts/sources.ts';
import type {
  FullSplitRequest,
  PieceProgress,
  SplitUploadProgress,
  SplitUploadRequest,
  SplitUploadResult,
} from '../../src/contracts/split.ts';
import type { UploadResult, UploadState } from '../../src/contracts/upload.ts';
import { uploadAttributes, shownState, shownWait } from '../../src/core/show/attributes.ts';
import { clip } from '../../src/core/text/clip.ts';
import { acceptedPartSizeBytes, planParts } from '../../src/core/upload/plan.ts';
import { formatBytes } from '../../src/core/text/format.ts';
import { pieceLabel, pieceName } from '../../src/core/split/pieces.ts';
import { uploadEndLine, type End, type EndLine } from '../../src/core/show/end-line.ts';
import { SPLIT_IGNORES_NO_INODE } from '../../src/core/upload/tuning.ts';
import { endsAllPieces, splitFailure } from '../../src/core/split/failure.ts';
import {
  describeSplitProgress,
  pieceMessageLength,
  pieceUnderWay,
  resultBytes,
  withPieceProgress,
} from '../../src/core/split/progress.ts';
import type { Control, Run } from '../shell/define-workflow.ts';
import { detailsOf } from '../shell/failures.ts';
import { Parking } from '../shell/parking.ts';
import { firstName, type RawRequest } from '../shell/requests.ts';
import { ShownAttributes } from '../shell/shown-attributes.ts';
import { SplitCalls } from './calls.ts';
import { summaryOf } from '../../src/core/text/markdown.ts';
import type { uploadFile } from '../upload-file.ts';

/** As the client starts uploads: how long a killed worker's workflow task would hold a piece up. */
const WORKFLOW_TASK_TIMEOUT_MS = 5000;

/** The state of one split upload, and the steps that move it on. */
export class SplitRun implements Run<SplitUploadResult, never, SplitUploadProgress> {
  readonly #raw: RawRequest;
  readonly #calls: SplitCalls;
  readonly #shown = new ShownAttributes();
  readonly #parking: Parking;
  readonly #startedAtMs = Date.now();
  readonly #receipts = new Map<number, UploadResult>();
  #state: UploadState = 'inspecting';
  #paused = false;
  /** Changes of the request. */
  #settings: RetuneInput = {};
  #request: FullSplitRequest | undefined;
  /** What the last failure of the first activity says of the request. */
  #known: Pick<FailureDetails, 'subject' | 'giveUpAfterMs'> = {};
  #sizeBytes = 0;
  #pieces: PieceProgress[] = [];
  #isStarting = false;
  #endReason: string | undefined;

  constructor(request: SplitUploadRequest) {
    this.#raw = { ...request };
    this.#calls = new SplitCalls(this.#raw);
    const giveUpAfterMs = () => this.#request?.giveUpAfterMs ?? this.#known.giveUpAfterMs ?? 0;
    this.#parking = new Parking(giveUpAfterMs, () => this.#publish());
  }

  /** @throws ApplicationFailure that lists the pieces, when some have no File in the end */
  async run(): Promise<SplitUploadResult> {
    this.#publish();
    const plan = await this.#parking.insist(() => this.#plan());
    this.#request = plan.request;
    this.#shown.use(plan.hasAttributes);
    const { concurrency, partSizeBytes, limitBytesPerSecond } = plan.request;
    this.#settings = { concurrency, partSizeBytes, limitBytesPerSecond, ...defined(this.#settings) };
    this.#sizeBytes = plan.sizeBytes;
    this.#pieces = plan.pieces.map((range, index) => this.#piece(range, index + 1, plan.pieces.length));
    this.#assertFits();
    this.#enter('uploading');
    // One after the other: each session lives an hour, and has the whole link for it.
    for (const { number } of this.#pieces) {
      if (!(await this.#send(number, plan))) break;
    }
    return this.#outcome();
  }

  async #plan(): Promise<PlanSplitResult> {
    try {
      return await this.#calls.plan();
    } catch (error) {
      this.#known = detailsOf(error) ?? this.#known;
      this.#shown.use(detailsOf(error)?.hasAttributes);
      throw error;
    }
  }

  /** Too many long names are rejected before any byte is sent. */
  #assertFits(): void {
    const bytes = resultBytes(this.#pieces);
    if (bytes <= PayloadLimits.pieces) return;
    const sizes = `about ${formatBytes(bytes)}, and the limit is ${formatBytes(PayloadLimits.pieces)}`;
    const message = `the names of ${this.#pieces.length} Files do not fit into one result (${sizes}). Use a shorter name or larger pieces`;
    throw ApplicationFailure.nonRetryable(message, FailureType.PayloadTooLarge);
  }

  rejects(control: Control): string | undefined {
    return control.type === 'retune' && control.ignoreInode ? SPLIT_IGNORES_NO_INODE : undefined;
  }

  apply(control: Control): Promise<SplitUploadProgress> {
    const { type, ...input } = control;
    if (control.type === 'pause') return this.#pause(control.parts);
    if (control.type === 'resume') return this.#resume();
    if (control.type === 'retry') this.#parking.retry();
    else {
      this.#settings = { ...this.#settings, ...input };
      this.#publish();
    }
    return this.#steer(type, input);
  }

  /** Holds further parts and pieces back, and returns when no part is in flight. */
  async #pause(parts: PauseInput['parts']): Promise<SplitUploadProgress> {
    this.#paused = true;
    this.#publish();
    const input = { parts, whileCompleting: true };
    const progress = await this.#steer(UpdateName.pause, input);
    // Updates that cross on their way to the piece must not leave it otherwise than the whole.
    return this.#paused ? progress : this.#steer(UpdateName.resume, {});
  }

  async #resume(): Promise<SplitUploadProgress> {
    this.#paused = false;
    this.#publish();
    const progress = await this.#steer(UpdateName.resume, {});
    return this.#paused ? this.#steer(UpdateName.pause, { whileCompleting: true }) : progress;
  }

  async abandon(state: 'cancelled' | 'failed', reason: string): Promise<undefined> {
    this.#endReason = reason;
    this.#enter(state);
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    return undefined;
  }

  endLine(end: End): EndLine {
    return uploadEndLine(end, this.progress(), Date.now());
  }

  progress(): SplitUploadProgress {
    const receipts = [...this.#receipts.values()];
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    const { concurrency = 0, partSizeBytes, limitBytesPerSecond } = this.#settings;
    const parts = this.#pieces.map(({ range }) => planParts(range.sizeBytes, partSizeBytes));
    const waiting = shownWait(this.#state, this.#parking.waiting, Date.now());
    const isPaused = this.#paused && this.#state === 'uploading';
    return {
      state: shownState(this.#state, { isWaiting: waiting !== null, isPaused }),
      filename: this.#subject?.filename ?? firstName(this.#raw),
      bytesTotal: this.#sizeBytes,
      bytesDone: sum(receipts.map(({ bytes }) => bytes)),
      partSizeBytes: parts[0]?.partSizeBytes ?? 0,
      partsTotal: sum(parts.map((plan, index) => this.#receipts.get(index + 1)?.parts ?? plan.partCount)),
      partsDone: sum(receipts.map((receipt) => receipt.parts)),
      partsInFlight: 0,
      concurrency,
      limit: limitBytesPerSecond === undefined ? null : { bytesPerSecond: limitBytesPerSecond, revision: 0 },
      session: null,
      sessionEndsTooEarly: false,
      waiting,
      sessionsOpened: sum(receipts.map(({ sessions }) => sessions)),
      orphanedSessions: sum(receipts.map(({ orphanedSessions }) => orphanedSessions ?? 0)),
      md5: null,
      startedAtMs: this.#startedAtMs,
      pieces: this.#pieces,
    };
  }

  get #subject(): JobSubject | undefined {
    return this.#request ?? this.#known.subject;
  }

  #piece(range: ByteRange, number: number, count: number): PieceProgress {
    return {
      number,
      filename: pieceName(this.#subject?.filename ?? '', number, count),
      workflowId: `${workflowInfo().workflowId}-${pieceLabel(number, count)}`,
      range,
      state: 'pending',
    };
  }

  /** Uploads one piece, or takes what an earlier execution made of it. False: the others are to be left alone. */
  async #send(number: number, plan: PlanSplitResult): Promise<boolean> {
    try {
      const result = await this.#upload(number, plan);
      this.#receipts.set(number, result);
      const partSizeBytes = acceptedPartSizeBytes(result.bytes, this.#settings.partSizeBytes, result.partSizeBytes);
      if (partSizeBytes !== undefined) this.#settings = { ...this.#settings, partSizeBytes };
      this.#change(number, { state: 'completed', fileId: result.file.id });
      return true;
    } catch (error) {
      const { consideredCancelled } = CancellationScope.current();
      if (consideredCancelled && isCancellation(error)) throw error;
      const failure = failureOfChild(error);
      if (failure === undefined) throw error;
      const { failureType } = failure;
      const message = clip(failure.message, pieceMessageLength(this.#pieces.length));
      log.warn('A piece failed', { number, failureType, message });
      this.#change(number, { state: 'failed', failureType, message });
      // The piece had failed before the cancellation reached it.
      if (consideredCancelled) throw new CancelledFailure('cancelled when a piece had failed');
      return !endsAllPieces(failure);
    }
  }

  async #upload(number: number, plan: PlanSplitResult): Promise<UploadResult> {
    const { workflowId } = this.#at(number);
    const identity = this.#identity(number, plan);
    let isNew = plan.request.again;
    for (;;) {
      await condition(() => !this.#paused);
      this.#change(number, { state: 'uploading' });
      try {
        return await this.#startPiece(number, plan, identity, isNew);
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
      const found = await this.#calls.find(workflowId, identity);
      if (found.outcome === 'completed' && !isNew) return found.result;
      isNew ||= found.outcome === 'foreign';
    }
  }

  async #startPiece(number: number, plan: PlanSplitResult, identity: string, isNew: boolean): Promise<UploadResult> {
    const request = this.#requestOf(number, plan);
    const { filename, purpose, destination } = request;
    this.#isStarting = true;
    const child = await startChild<typeof uploadFile>(WorkflowName.uploadFile, {
      workflowId: this.#at(number).workflowId,
      args: [request],
      memo: { longhaulIdentity: identity },
      staticSummary: summaryOf(filename, purpose, destination),
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      workflowIdReusePolicy: isNew ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
      // Its session is cancelled with it, and this workflow ends after it.
      parentClosePolicy: 'REQUEST_CANCEL',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    }).finally(() => {
      this.#isStarting = false;
    });
    return child.result();
  }

  #requestOf(number: number, plan: PlanSplitResult) {
    const { pieceSizeBytes: _pieceSizeBytes, again: _again, source, ...rest } = plan.request;
    const { range, filename } = this.#at(number);
    const offsetBytes = (source.range?.offsetBytes ?? 0) + range.offsetBytes;
    return {
      ...rest,
      ...this.#settings,
      source: { ...source, range: { offsetBytes, sizeBytes: range.sizeBytes } },
      filename,
      expectedFingerprint: plan.fingerprint,
    };
  }

  /** What makes two pieces the same, so that the File of other bytes under the same id is never taken for it. */
  #identity(number: number, { fingerprint, request }: PlanSplitResult): string {
    const { purpose, destination } = request;
    const { filename, range } = this.#at(number);
    const { longhaulIdentity } = workflowInfo().memo ?? {};
    const whole = typeof longhaulIdentity === 'string' ? clip(longhaulIdentity, 256) : null;
    return JSON.stringify([whole, fingerprint, filename, purpose, destination, range.offsetBytes, range.sizeBytes]);
  }

  async #steer(update: keyof typeof UpdateName, input: object): Promise<SplitUploadProgress> {
    await condition(() => !this.#isStarting);
    const piece = pieceUnderWay(this.progress());
    const told = piece ? await this.#calls.steer({ workflowId: piece.workflowId, update, input }) : null;
    const isStill = piece !== undefined && this.#at(piece.number).state === 'uploading';
    return told && isStill ? withPieceProgress(this.progress(), told) : this.progress();
  }

  #outcome(): SplitUploadResult {
    const receipts = this.#pieces.flatMap(({ number }) => this.#receipts.get(number) ?? []);
    if (receipts.length < this.#pieces.length) {
      const { type, message } = splitFailure(this.#pieces);
      const details: PiecesFailedDetails = { pieces: this.#pieces };
      throw ApplicationFailure.create({ message, type, nonRetryable: true, details: [details] });
    }
    this.#enter('completed');
    return {
      workflowId: workflowInfo().workflowId,
      files: receipts.map(({ file }) => file),
      pieces: receipts,
      bytes: this.#sizeBytes,
      durationMs: Date.now() - this.#startedAtMs,
    };
  }

  #at(number: number): PieceProgress {
    return this.#pieces[number - 1] as PieceProgress;
  }

  #change(number: number, change: Partial<PieceProgress>): void {
    this.#pieces = this.#pieces.with(number - 1, { ...this.#at(number), ...change });
    this.#publish();
  }

  #enter(state: UploadState): void {
    this.#state = state;
    this.#publish();
  }

  #publish(): void {
    const progress = this.progress();
    const context = { nowMs: Date.now(), reason: this.#endReason };
    setCurrentDetails(describeSplitProgress(progress, context));
    this.#shown.show(uploadAttributes(progress, this.#subject, { reason: this.#endReason }));
  }
}

/** Without properties that are undefined. */
function defined(settings: RetuneInput): RetuneInput {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** Undefined for what no upload of a piece ended with. */
function failureOfChild(
  error: unknown,
): { readonly failureType: string; readonly status: number | undefined; readonly message: string } | undefined {
  if (!(error instanceof ChildWorkflowFailure)) return undefined;
  const { cause } = error;
  if (cause instanceof ApplicationFailure) {
    const details = cause.details?.[0] as FailureDetails | undefined;
    return { failureType: cause.type ?? '', status: details?.status, message: cause.message };
  }
  if (cause instanceof CancelledFailure || cause instanceof TerminatedFailure) {
    return { failureType: FailureType.UploadCancelled, status: undefined, message: 'somebody ended its upload' };
  }
  return { failureType: 'Unknown', status: undefined, message: (cause ?? error).message };
}
