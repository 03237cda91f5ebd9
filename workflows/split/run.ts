import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedPiece, PlanSplitResult } from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { MemoName, type RetuneInput } from '../../src/contracts/names.ts';
import type {
  CarriedSplit,
  SplitUploadProgress,
  SplitUploadRequest,
  SplitUploadResult,
} from '../../src/contracts/split.ts';
import type { UploadProgress, UploadResult } from '../../src/contracts/upload.ts';
import { pieceIdentity } from '../../src/core/split/pieces.ts';
import { withPieceProgress } from '../../src/core/split/progress.ts';
import { withoutUndefined } from '../../src/core/objects.ts';
import { clip } from '../../src/core/text/clip.ts';
import { summaryCode, summaryOf } from '../../src/core/text/markdown.ts';
import { acceptedPartSizeBytes, partSizeProblem } from '../../src/core/upload/plan.ts';
import { SPLIT_IGNORES_NO_INODE } from '../../src/core/upload/fingerprint.ts';
import { ChildUpload } from '../fleet/child-upload.ts';
import { Fleet } from '../fleet/fleet.ts';
import { firstActivities } from '../shell/activities.ts';
import { HandOver, type Control, type Run } from '../shell/define-workflow.ts';
import { detailsOf, failureIn, failureOf } from '../shell/failures.ts';
import { JobRequest } from '../shell/job-request.ts';
import { HandOverDue, Waiting } from '../shell/waiting.ts';
import { firstName } from '../shell/requests.ts';
import { checkedResult } from '../shell/results.ts';
import { Pieces } from './pieces.ts';
import { SplitView } from './view.ts';

/** The state of one split upload, and its steps. */
export class SplitRun implements Run<SplitUploadResult, CarriedSplit, SplitUploadProgress> {
  readonly #request: JobRequest<PlanSplitResult>;
  readonly #view: SplitView;
  readonly #waiting: Waiting;
  readonly #fleet: Fleet;
  #paused: boolean;
  /** Changes of the request. */
  #settings: RetuneInput;
  #pieces: Pieces | undefined;
  #running: ChildUpload | undefined;

  constructor(request: SplitUploadRequest, carried?: CarriedSplit) {
    this.#paused = carried?.paused ?? false;
    this.#settings = carried?.settings ?? {};
    this.#request = new JobRequest(request, ({ request: full }) => ({
      subject: full,
      giveUpAfterMs: full.giveUpAfterMs,
    }));
    const giveUpAfterMs = () => this.#request.giveUpAfterMs;
    this.#waiting = new Waiting(giveUpAfterMs, () => this.#view.publish(), {
      carried: carried?.waiting ?? undefined,
      // Each piece continues as new separately.
      handsOver: () => this.#request.checked === undefined,
    });
    const isPaused = () => this.#paused;
    // One after the other, because each session expires after an hour, and then can use the whole link.
    this.#fleet = new Fleet({ maxRunning: () => 1, isPaused, onChange: () => this.#view.publish() });
    this.#view = new SplitView(
      {
        request: this.#request,
        pieces: () => this.#pieces,
        settings: () => this.#settings,
        isPaused,
        waiting: () => this.#waiting.info ?? this.#fleet.waiting,
      },
      carried?.startedAtMs ?? Date.now(),
    );
  }

  /** @throws ApplicationFailure that lists the pieces if some have no File */
  async run(): Promise<SplitUploadResult | HandOver<CarriedSplit>> {
    this.#view.publish();
    this.#fleet.receiveReports();
    try {
      return await this.#send(await this.#waiting.repeat(() => this.#planSplit()));
    } catch (error) {
      if (!(error instanceof HandOverDue)) throw error;
    }
    return new HandOver(() => ({
      waiting: this.#waiting.info ?? null,
      settings: this.#settings,
      paused: this.#paused,
      startedAtMs: this.#view.startedAtMs,
    }));
  }

  async #send(plan: PlanSplitResult): Promise<SplitUploadResult> {
    this.#request.admit(plan);
    this.#view.use(plan.hasAttributes);
    const { concurrency, partSizeBytes, limitBytesPerSecond } = plan.request;
    this.#settings = { concurrency, partSizeBytes, limitBytesPerSecond, ...withoutUndefined(this.#settings) };
    const pieces = new Pieces(workflowInfo().workflowId, plan.request.filename, plan);
    this.#pieces = pieces;
    this.#view.enter('uploading');
    try {
      await this.#fleet.send(this.#loads(plan, pieces), () => pieces.endsAll);
    } finally {
      await this.#fleet.drain();
    }
    const { consideredCancelled } = CancellationScope.current();
    if (consideredCancelled && !pieces.areComplete) throw new CancelledFailure('cancelled before its last piece');
    const outcome = pieces.outcome();
    this.#view.enter('completed');
    return {
      workflowId: workflowInfo().workflowId,
      ...outcome,
      bytes: plan.sizeBytes,
      durationMs: Date.now() - this.#view.startedAtMs,
    };
  }

  rejects(control: Control): string | undefined {
    if (control.type !== 'retune') return undefined;
    if (control.ignoreInode) return SPLIT_IGNORES_NO_INODE;
    const { checked } = this.#request;
    return checked && partSizeProblem(checked.limits, control.partSizeBytes);
  }

  /** Returns when the control is in effect in the running piece. */
  async apply(control: Control): Promise<SplitUploadProgress> {
    const { type, ...input } = control;
    if (type === 'retry') this.#waiting.retry();
    else if (type === 'retune') this.#settings = { ...this.#settings, ...input };
    else this.#paused = type === 'pause';
    this.#view.publish();
    const running = this.#running;
    // A piece that is completing can lose its session, and then resends its parts.
    await this.#fleet.apply(control.type === 'pause' ? { ...control, whileCompleting: true } : control);
    const isStill = running !== undefined && running === this.#running && !this.#fleet.isEmpty;
    const ofPiece = isStill ? (running.progress as UploadProgress | undefined) : undefined;
    return ofPiece ? withPieceProgress(this.progress(), ofPiece) : this.progress();
  }

  async abandon(state: 'cancelled' | 'failed', reason: string): Promise<undefined> {
    this.#view.failed(state, reason);
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    return undefined;
  }

  progress(): SplitUploadProgress {
    return this.#view.progress();
  }

  /** @throws ApplicationFailure for a request or a source that cannot be used */
  async #planSplit(): Promise<PlanSplitResult> {
    const { raw } = this.#request;
    const input = { request: raw as never, identity: wholeIdentity() };
    try {
      const summary = summaryCode(firstName(raw));
      const result = await firstActivities(raw).planSplit.executeWithOptions({ summary }, [input]);
      return checkedResult('planSplit', result);
    } catch (error) {
      this.#request.failed(detailsOf(error));
      this.#view.use(detailsOf(error)?.hasAttributes);
      // Nothing was started yet: an invalid path must fail now, and not after a day of waiting.
      const cause = failureIn(error);
      throw cause?.type === FailureType.SourceMissing ? failureOf(error) : error;
    }
  }

  /** Yields the pieces without a receipt. Each is created after the previous piece has closed, with the current settings. */
  *#loads(plan: PlanSplitResult, pieces: Pieces): Iterable<ChildUpload> {
    for (const [index, piece] of plan.pieces.entries()) {
      if (piece.receipt) this.#completed(plan, pieces, index + 1, piece.receipt);
      else yield this.#load(index + 1, plan, pieces);
    }
  }

  #load(number: number, plan: PlanSplitResult, pieces: Pieces): ChildUpload {
    const { request, fingerprint } = plan;
    const planned = plan.pieces[number - 1] as PlannedPiece;
    const piece = pieces.list[number - 1] as (typeof pieces.list)[number];
    const { filename, workflowId } = piece;
    const { purpose, destination } = request;
    const whole = { purpose, destination, identity: wholeIdentity(), fingerprint };
    let { isReplaced } = planned;
    const load: ChildUpload = new ChildUpload({
      workflowId,
      path: filename,
      isPaused: () => this.#paused,
      request: () => this.#requestOf(planned, filename, { request, fingerprint }),
      options: () => ({
        memo: {
          [MemoName.identity]: pieceIdentity(whole, piece),
        },
        staticSummary: summaryOf(filename, purpose, destination),
        workflowIdReusePolicy: isReplaced ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
      }),
      onStart: () => {
        this.#running = load;
        pieces.started(number);
      },
      findReceipt: async () => {
        const now = await this.#waiting.repeat(() => this.#planSplit());
        if (now.fingerprint !== fingerprint) return undefined;
        isReplaced = now.pieces[number - 1]?.isReplaced;
        return now.pieces[number - 1]?.receipt;
      },
      onResult: (result) => this.#completed(plan, pieces, number, result),
      onFailure: (error) => {
        if (CancellationScope.current().consideredCancelled && isCancellation(error)) return;
        pieces.failed(number, error);
      },
    });
    return load;
  }

  #completed({ limits }: PlanSplitResult, pieces: Pieces, number: number, result: UploadResult): void {
    const planned = this.#settings.partSizeBytes;
    const partSizeBytes = acceptedPartSizeBytes(limits, result.bytes, planned, result.partSizeBytes);
    if (partSizeBytes !== undefined) this.#settings = { ...this.#settings, partSizeBytes };
    pieces.completed(number, result);
    this.#view.publish();
  }

  #requestOf(
    { offsetBytes, sizeBytes }: PlannedPiece,
    filename: string,
    { request, fingerprint }: Pick<PlanSplitResult, 'request' | 'fingerprint'>,
  ) {
    const { pieceSizeBytes: _pieceSizeBytes, again: _again, source, ...rest } = request;
    const range = { offsetBytes: (source.range?.offsetBytes ?? 0) + offsetBytes, sizeBytes };
    const settings = this.#settings;
    return { ...rest, ...settings, source: { ...source, range }, filename, expectedFingerprint: fingerprint };
  }
}

/** Digest of the request in the memo of its client. */
function wholeIdentity(): string | null {
  const identity = workflowInfo().memo?.[MemoName.identity];
  return typeof identity === 'string' ? clip(identity, 256) : null;
}
