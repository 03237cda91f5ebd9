import type { PlanSplitResult } from '../../src/contracts/activities.ts';
import type { RetuneInput } from '../../src/contracts/names.ts';
import type { SplitUploadProgress } from '../../src/contracts/split.ts';
import type { UploadState, WaitingInfo } from '../../src/contracts/upload.ts';
import { shownState, shownWait, uploadAttributes } from '../../src/core/show/attributes.ts';
import { describeSplitProgress } from '../../src/core/split/progress.ts';
import type { JobRequest } from '../shell/job-request.ts';
import { Status } from '../shell/status.ts';
import type { Pieces } from './pieces.ts';

interface ViewedSplit {
  readonly request: JobRequest<PlanSplitResult>;
  /** Undefined until the plan exists. */
  readonly pieces: () => Pieces | undefined;
  readonly settings: () => RetuneInput;
  readonly isPaused: () => boolean;
  readonly waiting: () => WaitingInfo | undefined;
}

/** State and progress of a split upload, as its callers and Temporal UI see them. */
export class SplitView {
  readonly startedAtMs: number;
  readonly #split: ViewedSplit;
  readonly #status = new Status();
  #state: UploadState = 'inspecting';
  /** Set after its failure. */
  #endReason: string | undefined;

  constructor(split: ViewedSplit, startedAtMs: number) {
    this.#split = split;
    this.startedAtMs = startedAtMs;
  }

  /** @param hasAttributes as the first activity returned it */
  use(hasAttributes: boolean | undefined): void {
    this.#status.use(hasAttributes);
  }

  enter(state: UploadState): void {
    this.#state = state;
    this.publish();
  }

  /** @param reason as `reasonOfFailure` returns it */
  failed(state: 'cancelled' | 'failed', reason: string): void {
    this.#endReason = reason;
    this.enter(state);
  }

  progress(): SplitUploadProgress {
    const { request, pieces, settings, isPaused, waiting: waitingCall } = this.#split;
    const { concurrency = 0, partSizeBytes, limitBytesPerSecond } = settings();
    const waiting = shownWait(this.#state, waitingCall(), Date.now());
    const { bytesDone, ...totals } = pieces()?.totals(partSizeBytes) ?? nothing;
    return {
      kind: 'split',
      state: shownState(this.#state, {
        isWaiting: waiting !== null,
        isPaused: isPaused() && this.#state === 'uploading',
      }),
      filename: request.name,
      bytesTotal: request.checked?.sizeBytes ?? 0,
      bytesDone,
      partsInFlight: 0,
      waiting,
      startedAtMs: this.startedAtMs,
      ...totals,
      concurrency,
      limit: limitBytesPerSecond === undefined ? null : { bytesPerSecond: limitBytesPerSecond, revision: 0 },
      session: null,
      sessionEndsTooEarly: false,
      md5: null,
    };
  }

  /** Sets the details in Temporal UI, and the search attributes. */
  publish(): void {
    const progress = this.progress();
    const context = { nowMs: Date.now(), reason: this.#endReason };
    this.#status.details(describeSplitProgress(progress, context));
    this.#status.attributes(uploadAttributes(progress, this.#split.request.subject, { reason: this.#endReason }));
  }
}

/** Progress before the plan exists. */
const nothing = {
  bytesDone: 0,
  partSizeBytes: 0,
  partsTotal: 0,
  partsDone: 0,
  sessionsOpened: 0,
  orphanedSessions: 0,
  pieces: [],
} as const;
