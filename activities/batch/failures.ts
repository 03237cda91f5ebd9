import { ApplicationFailure } from '@temporalio/common';
import type { FileFailure } from '../../src/contracts/batch.ts';
import { FailureType, type FailureDetails } from '../../src/contracts/failures.ts';
import { waitingReason } from '../../src/core/upload/reasons.ts';
import { clipMessage } from '../../src/core/text/clip.ts';
import { failureWith } from '../failures.ts';

/** Number of failures in a row that are not caused by single files. */
const OUTAGE = 8;

/** The failures of one attempt after which the same call can succeed later. */
export class Troubles {
  #inARow = 0;
  #worst: Error | undefined;

  /** @returns the failure if it is final, and only about this file; undefined if the same call can succeed later */
  add(failure: Error): FileFailure | undefined {
    const final = finalFailureOf(failure);
    if (final) {
      this.#inARow = 0;
      return final;
    }
    if (!isOfFile(failure)) this.#inARow++;
    if (!this.#worst || weightOf(failure) > weightOf(this.#worst)) this.#worst = failure;
    return undefined;
  }

  succeeded(): void {
    this.#inARow = 0;
  }

  /** Whether all calls fail, or will fail until an operator acts. This attempt then starts no further calls. */
  get areEverywhere(): boolean {
    return this.#inARow >= OUTAGE || (this.#worst instanceof ApplicationFailure && this.#worst.nonRetryable === true);
  }

  /** Milliseconds until the next call, if the service requests a pause. */
  get pauseMs(): number | undefined {
    return delayOf(this.#worst) || undefined;
  }

  /**
   * The failure of the whole attempt.
   *
   * @param left in `details[1]`
   */
  failure(left?: unknown): Error {
    const worst = this.#worst ?? new Error('the batch returned no result');
    if (left === undefined || !(worst instanceof ApplicationFailure)) return worst;
    return failureWith(worst, { details: [detailsOf(worst), left] });
  }
}

/** Rotates the files in each attempt, so that files that fail repeatedly do not delay the others. */
export function rotated<T>(items: readonly T[], attempt: number): readonly T[] {
  if (items.length === 0) return items;
  const first = ((attempt - 1) * OUTAGE) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function finalFailureOf(failure: Error): FileFailure | undefined {
  if (!(failure instanceof ApplicationFailure) || !failure.nonRetryable || canWait(failure)) return undefined;
  const { type, message } = failure;
  return { type: type ?? FailureType.ApiRejected, message: clipMessage(message), details: detailsOf(failure) };
}

function canWait(failure: ApplicationFailure): boolean {
  const { status, retryAtMs, sourceScope } = detailsOf(failure);
  if (sourceScope === 'file') return false;
  return waitingReason({ failureType: failure.type ?? '', status, message: '', retryAtMs }) !== undefined;
}

function isOfFile(failure: Error): boolean {
  return failure instanceof ApplicationFailure && detailsOf(failure).sourceScope === 'file';
}

/** Failures for which the upload must wait have priority, then the longest pause. */
function weightOf(failure: Error): number {
  if (failure instanceof ApplicationFailure && failure.nonRetryable) return Infinity;
  return delayOf(failure) + (isOfFile(failure) ? 0 : 1);
}

function delayOf(failure: Error | undefined): number {
  const delay = failure instanceof ApplicationFailure ? failure.nextRetryDelay : undefined;
  return typeof delay === 'number' ? delay : 0;
}

function detailsOf({ details }: ApplicationFailure): FailureDetails {
  return details?.[0] ?? {};
}
