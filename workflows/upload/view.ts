import { workflowInfo } from '@temporalio/workflow';
import type { InspectSourceResult } from '../../src/contracts/activities.ts';
import type {
  ReceiptFacts,
  UploadedFile,
  UploadProgress,
  UploadResult,
  UploadState,
} from '../../src/contracts/upload.ts';
import { shownState, shownWait, uploadAttributes } from '../../src/core/show/attributes.ts';
import { describeProgress } from '../../src/core/show/describe-progress.ts';
import { withoutSealedQuery } from '../../src/core/source/names.ts';
import { countEnd } from '../shell/counters.ts';
import type { JobRequest } from '../shell/job-request.ts';
import type { ParentReports } from '../shell/parent-reports.ts';
import { Pace, Status } from '../shell/status.ts';
import type { UploadTuning } from '../../src/core/upload/tuning.ts';
import type { OpenSession } from './open-session.ts';
import type { UploadParts } from './parts.ts';
import type { UploadSessions } from './sessions.ts';
import type { SourceHash } from './source-hash.ts';
import type { UploadWaits } from './waits.ts';

interface ViewedUpload {
  readonly request: JobRequest<InspectSourceResult>;
  readonly reports: ParentReports;
  readonly waits: UploadWaits;
  readonly sessions: UploadSessions;
  readonly parts: UploadParts;
  readonly hash: SourceHash;
  readonly tuning: UploadTuning;
  readonly isPaused: () => boolean;
}

/** State, progress and result of an upload, as its callers, its parent and Temporal UI see them. */
export class UploadView {
  readonly startedAtMs: number;
  readonly #upload: ViewedUpload;
  readonly #status = new Status();
  readonly #pace = new Pace();
  #state: UploadState;
  /** Whether the search attributes show that the upload waits or is paused. */
  #isHeld = false;
  /** Once it has ended. */
  #end: { readonly fileId?: string; readonly reason?: string | undefined } = {};

  constructor(upload: ViewedUpload, state: UploadState, startedAtMs: number) {
    this.#upload = upload;
    this.#state = state;
    this.startedAtMs = startedAtMs;
  }

  get state(): UploadState {
    return this.#state;
  }

  /** @param hasAttributes as the first activity returned it */
  use(hasAttributes: boolean | undefined): void {
    this.#status.use(hasAttributes);
  }

  enter(state: UploadState): void {
    this.#state = state;
    countEnd(state);
    this.publish();
  }

  /** @param reason as `reasonOfFailure` returns it */
  failed(state: 'cancelled' | 'failed', reason: string): void {
    this.#end = { reason };
    this.enter(state);
  }

  completed(session: OpenSession, file: UploadedFile): UploadResult {
    this.#end = { fileId: file.id };
    this.enter('completed');
    const { request, parts, sessions, hash } = this.#upload;
    return {
      workflowId: workflowInfo().workflowId,
      uploadId: session.info.uploadId,
      file,
      bytes: session.ledger.plan.sizeBytes,
      md5: hash.md5,
      sha256: hash.sha256,
      parts: session.ledger.plan.partCount,
      partSizeBytes: session.ledger.plan.partSizeBytes,
      partsSent: parts.sent,
      sessions: sessions.opened,
      orphanedSessions: sessions.orphaned,
      durationMs: Date.now() - this.startedAtMs,
      warnings: hash.warnings,
      receipt: request.checked && this.#receiptFacts(request.checked, session),
    };
  }

  /** Not for the files of a sync: their results are in the history of the sync. */
  #receiptFacts({ request, fingerprint }: InspectSourceResult, { ledger }: OpenSession): ReceiptFacts | undefined {
    const { within, destination, source } = request;
    if (within !== undefined) return undefined;
    const { startedAtMs, completedAtMs } = { startedAtMs: this.startedAtMs, completedAtMs: Date.now() };
    const partIds = ledger.orderedPartIds();
    return { destination, source: withoutSealedQuery(source), fingerprint, partIds, startedAtMs, completedAtMs };
  }

  progress(): UploadProgress {
    const { request, waits, sessions, hash, tuning, isPaused } = this.#upload;
    const session = sessions.current;
    const ledger = session?.ledger;
    const waiting = shownWait(this.#state, waits.waiting, Date.now());
    return {
      kind: 'upload',
      state: shownState(this.#state, {
        isWaiting: waiting !== null,
        isPaused: isPaused() && this.#state === 'uploading',
      }),
      filename: request.name,
      bytesTotal: request.checked?.sizeBytes ?? 0,
      bytesDone: ledger?.bytesDone ?? 0,
      partsInFlight: ledger?.out ?? 0,
      waiting,
      startedAtMs: this.startedAtMs,
      partSizeBytes: ledger?.plan.partSizeBytes ?? 0,
      partsTotal: ledger?.plan.partCount ?? 0,
      partsDone: ledger?.done ?? 0,
      concurrency: tuning.concurrency,
      limit: tuning.limit,
      session: session?.info ?? null,
      sessionEndsTooEarly: session?.endsTooEarly ?? false,
      splitSizeBytes: session?.splitSizeBytes,
      sessionsOpened: sessions.opened,
      orphanedSessions: sessions.orphaned,
      md5: hash.md5,
    };
  }

  /** Reports the waits to the parent, and sets the details in Temporal UI and the search attributes. */
  publish(): void {
    const { request, reports, waits, parts } = this.#upload;
    // The parent receives the result separately.
    const hasEnded = ['completed', 'failed', 'cancelled'].includes(this.#state);
    if (!hasEnded) reports.waits(waits.waiting ?? null);
    const progress = this.progress();
    const context = { ...this.#pace.measure(progress.bytesDone), ...this.#end, partsSent: parts.sent };
    this.#status.details(describeProgress(progress, context));
    if (request.checked?.isSmall === true && !this.#isHeld && isBrief(progress)) return;
    this.#isHeld = progress.state === 'paused' || progress.state === 'waiting';
    const attributes = uploadAttributes(progress, request.subject, this.#end);
    this.#status.attributes(attributes, this.#isHeld && progress.partsInFlight === 0);
  }
}

/** Whether the upload is one part. Its steps are short, and search attributes for each would increase its cost by half. */
function isBrief({ state, bytesDone, partsTotal }: UploadProgress): boolean {
  if (partsTotal > 1) return false;
  return state === 'creating' || state === 'completing' || (state === 'uploading' && bytesDone > 0);
}
