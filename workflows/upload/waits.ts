import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { Waiting } from '../shell/waiting.ts';
import { RetryPeriod } from '../shell/retry-period.ts';
import type { OpenSession } from './open-session.ts';

/** What an execution hands to its successor of it. Plain JSON. */
export interface CarriedWaits {
  /** Of the parts. */
  readonly waiting: WaitingInfo | null;
  /** Of other calls. */
  readonly otherWaits?: {
    readonly call?: WaitingInfo;
    readonly hash?: WaitingInfo;
    readonly completionSinceMs?: number;
    /** When the last call failed that waits: a part, or another call. */
    readonly partFailedAtMs?: number;
    readonly callFailedAtMs?: number;
  };
}

/**
 * Where the calls of one upload wait, for one retry period. There is one place for each kind of call: that a session can
 * be opened, or the file be read, does not mean that parts go through.
 */
export class UploadWaits {
  /** Of all calls but those of `parts` and `hash`. */
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

  /** Makes the calls that wait at once. */
  retry(): void {
    for (const waiting of [this.calls, this.parts, this.hash]) waiting.retry();
  }

  /**
   * Whether the session is lost because the upload waited. If it is lost for another reason during a wait, it counts:
   * otherwise, an upload would open one session after the other.
   */
  hasWaitedIn({ openedAtMs, endsAtMs, isOver }: OpenSession): boolean {
    const isCompletion = this.calls.hasFailedSince(openedAtMs);
    if (isCompletion && this.calls.info) this.#period.keep(this.calls.info.sinceMs);
    if (this.parts.hasFailedSince(openedAtMs) || isCompletion) return true;
    // Opened during the wait of a session before it, it could not be used until the next attempt.
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
