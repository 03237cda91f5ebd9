import { ActivityFailure, ApplicationFailure, log } from '@temporalio/workflow';
import { type FailureDetails, FailureType } from '../../src/contracts/failures.ts';
import type { UploadSession } from '../../src/contracts/upload.ts';
import { PartLedger } from '../../src/core/upload/ledger.ts';
import { halvedPartSizeBytes, planParts, type PartPlan, type PartLimits } from '../../src/core/upload/plan.ts';
import { endsTooEarly } from '../../src/core/upload/outlook.ts';
import { isSessionLost } from '../../src/core/upload/verdict.ts';
import { countSessionAtRisk } from '../shell/counters.ts';

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
  /** Whether a part may have arrived twice. */
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
   * By our own clock: the service's may be another one, but an hour is as long on both. A second early, as the
   * service's times are whole seconds.
   */
  get endsAtMs(): number {
    return this.openedAtMs + (this.info.expiresAt - this.info.createdAt - 1) * 1000;
  }

  get isOver(): boolean {
    return Date.now() >= this.endsAtMs;
  }

  /** Whether, at the pace so far, it will be over before the file is through. */
  get endsTooEarly(): boolean {
    const { bytesDone, plan } = this.ledger;
    return endsTooEarly({
      openedAtMs: this.openedAtMs,
      endsAtMs: this.endsAtMs,
      nowMs: Date.now(),
      bytesDone,
      bytesLeft: plan.sizeBytes - bytesDone,
    });
  }

  /** Logs it when it is so for the first time. */
  warnOfEarlyEnd(): void {
    if (this.#toldEndsTooEarly || !this.endsTooEarly) return;
    this.#toldEndsTooEarly = true;
    countSessionAtRisk();
    log.warn('At the pace so far the session ends before the file is through', {
      uploadId: this.info.uploadId,
      endsAt: new Date(this.endsAtMs).toISOString(),
    });
  }

  /** Takes note of a part that was stopped: it can have arrived all the same. */
  noteStoppedPart(): void {
    this.resent = true;
  }

  /** Takes note of a part that failed for good. @returns how often it was begun */
  noteFailedPart(error: unknown): number {
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    const details =
      cause instanceof ApplicationFailure ? (cause.details?.[0] as FailureDetails | undefined) : undefined;
    // What was refused at the first attempt did not arrive; of everything else nobody knows.
    if (details?.attempt !== 1 || details.status === undefined) this.resent = true;
    return details?.attempt ?? 1;
  }

  /** Whether what failed, failed because of the session, so that another one can help. */
  isLostBy(error: unknown): boolean {
    const cause = error instanceof ActivityFailure ? error.cause : error;
    if (!(cause instanceof ApplicationFailure)) return false;
    const isPart = error instanceof ActivityFailure && error.activityType === 'uploadPart';
    return isSessionLost({
      failureType: cause.type ?? '',
      status: (cause.details?.[0] as FailureDetails | undefined)?.status,
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

  /** Whether a completion was refused because the bytes that arrived are not those of the md5. */
  static isWrongMd5(error: unknown): boolean {
    const cause = error instanceof ActivityFailure && error.activityType === 'completeUpload' ? error.cause : undefined;
    if (!(cause instanceof ApplicationFailure) || cause.type !== FailureType.ApiRejected) return false;
    return /md5|checksum/i.test(cause.message);
  }

  /** @throws ApplicationFailure when it is over: parts never start past the deadline */
  assertTime(): void {
    if (!this.isOver) return;
    const message = 'the session ended before all parts were sent';
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
  const cause = error instanceof ActivityFailure && error.activityType === 'uploadPart' ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || cause.type !== FailureType.ApiRejected) return undefined;
  return (cause.details?.[0] as FailureDetails | undefined)?.status;
}

/** What the service said of the last session, under the type that tells what it means. */
export function lastSessionLost(error: unknown, sessionsOpened: number): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) return error;
  const which = sessionsOpened === 1 ? 'the only session' : `the last of ${sessionsOpened} sessions`;
  return ApplicationFailure.create({
    message: `${which} that this upload may open is lost: ${cause.message}`,
    type: FailureType.SessionLost,
    nonRetryable: true,
    details: cause.details ?? [],
  });
}
