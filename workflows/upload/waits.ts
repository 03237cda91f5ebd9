import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { Waiting } from '../shell/waiting.ts';
import { RetryPeriod } from '../shell/retry-period.ts';
import type { OpenSession } from './open-session.ts';

/** State for the next execution, as plain JSON. */
export interface CarriedWaits {
  /** Wait of the parts. */
  readonly waiting: WaitingInfo | null;
  /** Wait of other calls. */
  readonly otherWaits?: {
    readonly call?: WaitingInfo;
    readonly hash?: WaitingInfo;
    readonly completionSinceMs?: number;
    /** Time of the last failure of a waiting call: a part, or another call. */
    readonly partFailedAtMs?: number;
    readonly callFailedAtMs?: number;
  };
}

/**
 * The waits of the calls of one upload, with one retry period. Each kind of call waits separately, because parts can fail
 * while a session can be opened or the file can be read.
 */
export class UploadWaits {
  /** Wait of all calls except those of `parts` and `hash`. */
  readonly calls: Waiting;
  readonly parts: Waiting;
  readonly hash: Waiting;
  readonly #period: RetryPeriod;

  /** @param giveUpAfterMs 0: without a limit */
  constructor(giveUpAfterMs: () => number, onChange: () => void, carried?: CarriedWaits) {
    const { call, hash, completionSinceMs, partFailedAtMs, callFailedAtMs } = carried?.otherWaits ?? {};
    const period = new RetryPeriod(completionSinceMs);
    this.#period = period;
    this.calls = new Waiting(giveUpAfterMs, onChange, {
      carried: call,
      failedAtMs: callFailedAtMs,
      period,
      handsOver: () => true,
    });
    const ofParts = { carried: carried?.waiting ?? undefined, failedAtMs: partFailedAtMs, period };
    this.parts = new Waiting(giveUpAfterMs, onChange, ofParts);
    this.hash = new Waiting(giveUpAfterMs, onChange, { carried: hash, period, handsOver: () => true });
  }

  get waiting(): WaitingInfo | undefined {
    return this.calls.info ?? this.parts.info ?? this.hash.info;
  }

  /** Retries the waiting calls immediately. */
  retry(): void {
    for (const waiting of [this.calls, this.parts, this.hash]) waiting.retry();
  }

  /**
   * Whether the session is lost because the upload waited. A session that is lost for another reason during a wait counts
   * towards the maximum, because otherwise an upload could open any number of sessions.
   */
  hasWaitedIn({ openedAtMs, endsAtMs, isOver }: OpenSession): boolean {
    const isCompletion = this.calls.hasFailedSince(openedAtMs);
    if (isCompletion && this.calls.info) this.#period.keep(this.calls.info.sinceMs);
    if (this.parts.hasFailedSince(openedAtMs) || isCompletion) return true;
    // A session that was opened during the wait of an earlier session could not be used until the next attempt.
    const wasHeldBack = this.parts.info !== undefined && this.parts.info.nextProbeAtMs > openedAtMs;
    return isOver && (wasHeldBack || this.hash.hasWaitedSince(endsAtMs));
  }

  toJSON(): CarriedWaits {
    const { info: call, failedAtMs: callFailedAtMs } = this.calls;
    const { info: part, failedAtMs: partFailedAtMs } = this.parts;
    return {
      waiting: part ?? null,
      otherWaits: {
        call,
        hash: this.hash.info,
        completionSinceMs: this.#period.completionSinceMs,
        partFailedAtMs: part ? partFailedAtMs : undefined,
        callFailedAtMs: call ? callFailedAtMs : undefined,
      },
    };
  }
}
