import { ActivityFailure, ApplicationFailure, log } from '@temporalio/workflow';
import { FailureType } from '../../src/contracts/failures.ts';
import type { UploadSession } from '../../src/contracts/upload.ts';
import { PartLedger } from '../../src/core/upload/ledger.ts';
import { halvedPartSizeBytes, planParts, type PartPlan, type PartLimits } from '../../src/core/upload/plan.ts';
import { endsTooEarly, sufficientSplitSize, type SessionPace } from '../../src/core/upload/outlook.ts';
import { isSessionLost } from '../../src/core/upload/verdict.ts';
import { countSessionAtRisk } from '../shell/counters.ts';
import { detailsOf, failureIn } from '../shell/failures.ts';

/** Plain JSON, for the next execution. */
export interface CarriedSession {
  readonly info: UploadSession;
  readonly openedAtMs: number;
  readonly resent: boolean;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly partIds: readonly (string | null)[];
}

/** A session at the service, with the ledger of its parts. */
export class OpenSession {
  readonly info: UploadSession;
  /** Unix milliseconds, by Temporal's clock. */
  readonly openedAtMs: number;
  readonly ledger: PartLedger;
  /** Whether the service can have received a part twice. */
  resent: boolean;
  #toldEndsTooEarly = false;

  constructor(info: UploadSession, plan: PartPlan, carried?: CarriedSession) {
    this.info = info;
    this.openedAtMs = carried?.openedAtMs ?? Date.now();
    this.resent = carried?.resent ?? false;
    this.ledger = new PartLedger(plan, carried?.partIds);
  }

  static of(carried: CarriedSession): OpenSession {
    return new OpenSession(carried.info, planParts(carried.sizeBytes, carried.partSizeBytes), carried);
  }

  /**
   * Expiry by Temporal's clock, because the clock of the service can differ. One second early, because the service's times are
   * whole seconds.
   */
  get endsAtMs(): number {
    return this.openedAtMs + (this.info.expiresAt - this.info.createdAt - 1) * 1000;
  }

  get isOver(): boolean {
    return Date.now() >= this.endsAtMs;
  }

  /** Whether, at the current rate, the session expires before the file is complete. */
  get endsTooEarly(): boolean {
    return endsTooEarly(this.#pace);
  }

  /** Size of a File that the session could upload at the current rate, if it expires before the file is complete. */
  get splitSizeBytes(): number | undefined {
    return sufficientSplitSize(this.#pace);
  }

  get #pace(): SessionPace {
    const { bytesDone, plan } = this.ledger;
    return {
      openedAtMs: this.openedAtMs,
      endsAtMs: this.endsAtMs,
      nowMs: Date.now(),
      bytesDone,
      bytesLeft: plan.sizeBytes - bytesDone,
    };
  }

  /** Logs this once. */
  warnOfEarlyEnd(): void {
    if (this.#toldEndsTooEarly || !this.endsTooEarly) return;
    this.#toldEndsTooEarly = true;
    countSessionAtRisk();
    log.warn('at the current rate, the session expires before the file is complete', {
      uploadId: this.info.uploadId,
      endsAt: new Date(this.endsAtMs).toISOString(),
      splitSizeBytes: this.splitSizeBytes,
    });
  }

  /** Records that a part was aborted, which the service can still have received. */
  noteStoppedPart(): void {
    this.resent = true;
  }

  /** Records that a part failed permanently. @returns the number of its attempts */
  noteFailedPart(error: unknown): number {
    const details = failureIn(error) && detailsOf(error);
    // A part that was rejected at the first attempt was not received. Any other part can have been received, also if the
    // service failed: a pause can end a part after the first 503.
    const { attempt, status = 0 } = details ?? {};
    const isRejected = status >= 400 && status < 500 && status !== 408;
    if (attempt !== 1 || !isRejected) this.resent = true;
    return details?.attempt ?? 1;
  }

  /** Whether a failure is caused by the session, so that a new session can succeed. */
  isLostBy(error: unknown): boolean {
    const cause = error instanceof ApplicationFailure ? error : failureIn(error);
    if (!cause) return false;
    const isPart = error instanceof ActivityFailure && error.activityType === 'uploadPart';
    return isSessionLost({
      failureType: cause.type ?? '',
      status: detailsOf(cause)?.status,
      partsTaken: isPart ? this.ledger.done : 0,
      resent: this.resent,
      nowMs: Date.now(),
      endsAtMs: this.endsAtMs,
    });
  }

  /** Whether a part was rejected, and nothing about the session explains it. */
  static isRejectedPart(error: unknown): boolean {
    return statusOfRejectedPart(error) === 400;
  }

  /** Size of smaller parts, if a part was rejected as too large (413) and a smaller one is possible. */
  smallerPartSizeBytes(error: unknown, limits: PartLimits): number | undefined {
    if (statusOfRejectedPart(error) !== 413) return undefined;
    const { partSizeBytes, sizeBytes } = this.ledger.plan;
    return halvedPartSizeBytes(limits, sizeBytes, Math.min(partSizeBytes, sizeBytes));
  }

  /** Whether a completion was rejected because the received bytes do not match the MD5. */
  static isWrongMd5(error: unknown): boolean {
    const rejection = rejectionOf(error, 'completeUpload');
    return rejection !== undefined && /md5|checksum/i.test(rejection.message);
  }

  /** @throws ApplicationFailure if the session has expired, because parts never start after the deadline */
  assertTime(): void {
    if (!this.isOver) return;
    const message = 'the session expired before all parts were sent';
    throw ApplicationFailure.nonRetryable(message, FailureType.SessionLost);
  }

  toJSON(): CarriedSession {
    const { sizeBytes, partSizeBytes } = this.ledger.plan;
    return {
      info: this.info,
      openedAtMs: this.openedAtMs,
      resent: this.resent,
      sizeBytes,
      partSizeBytes,
      partIds: this.ledger.toJSON(),
    };
  }
}

function statusOfRejectedPart(error: unknown): number | undefined {
  return detailsOf(rejectionOf(error, 'uploadPart'))?.status;
}

/** Returns the rejection of an activity by the service. */
function rejectionOf(error: unknown, activityType: string): ApplicationFailure | undefined {
  const isOfType = error instanceof ActivityFailure && error.activityType === activityType;
  const failure = isOfType ? failureIn(error) : undefined;
  return failure?.type === FailureType.ApiRejected ? failure : undefined;
}

/** Returns the failure of a completion that was rejected because of the MD5, with its possible causes. */
export function otherBytes(error: unknown): unknown {
  const rejection = rejectionOf(error, 'completeUpload');
  if (!rejection || !OpenSession.isWrongMd5(error)) return error;
  return ApplicationFailure.create({
    message:
      `${rejection.message}. Either the content changed during the upload and kept its modification time, ` +
      'or bytes were damaged on the way. No File was created. Start a new upload.',
    type: FailureType.ApiRejected,
    nonRetryable: true,
    details: rejection.details ?? [],
  });
}

/** Returns the failure of the last session, with the message of the service and the type of its meaning. */
export function lastSessionLost(error: unknown, sessionsOpened: number): unknown {
  const cause = failureIn(error);
  if (!cause) return error;
  const which = sessionsOpened === 1 ? 'the only session' : `the last of ${sessionsOpened} sessions`;
  return ApplicationFailure.create({
    message: `${which} of this upload is lost: ${cause.message}`,
    type: FailureType.SessionLost,
    nonRetryable: true,
    details: cause.details ?? [],
  });
}
