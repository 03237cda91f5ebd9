import { ApplicationFailure, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { InspectSourceResult } from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { partIdsProblem } from '../../src/core/payload.ts';
import type { UploadTuning } from '../../src/core/upload/tuning.ts';
import type { UploadCalls } from './calls.ts';
import type { ExpectedSource } from './expected-source.ts';
import type { OpenSession } from './open-session.ts';
import { PartWindow } from './part-window.ts';
import type { SourceHash } from './source-hash.ts';
import type { UploadWaits } from './waits.ts';

interface PartsOptions {
  readonly calls: UploadCalls;
  readonly waits: UploadWaits;
  readonly hash: SourceHash;
  readonly tuning: UploadTuning;
  readonly expected: ExpectedSource;
  readonly isPaused: () => boolean;
  readonly onChange: () => void;
}

/** Sends the parts of a session, and records them in its ledger. */
export class UploadParts {
  readonly #options: PartsOptions;
  #window: PartWindow | undefined;
  #sent: number;

  /** @param sent attempts of earlier executions */
  constructor(options: PartsOptions, sent = 0) {
    this.#options = options;
    this.#sent = sent;
  }

  /** Attempts in all sessions. */
  get sent(): number {
    return this.#sent;
  }

  /** Aborts the parts in flight, which are sent again later. */
  stop(): void {
    this.#window?.stopParts();
  }

  /** Sends parts until all are recorded, the session expires, the MD5 fails, or the history is long enough. */
  async send(source: InspectSourceResult, session: OpenSession): Promise<void> {
    const { calls, waits, hash, tuning, isPaused, onChange } = this.#options;
    this.#window = new PartWindow(session.ledger);
    const isHandOverDue = () => workflowInfo().continueAsNewSuggested;
    const mostInFlight = calls.mostPartsInFlight(source);
    await this.#window.run({
      send: (partNumber) => waits.parts.attempt(() => this.#sendPart(partNumber, source, session)),
      // While the upload waits, one part is retried.
      limit: () => (waits.parts.info ? 1 : Math.min(tuning.mostParts, mostInFlight)),
      onStarted: onChange,
      onGivenBack: onChange,
      mayStart: () => !isPaused() && waits.parts.isOpen && !session.isOver,
      until: () => hash.hasFailed || isHandOverDue() || (session.isOver && !isPaused()),
    });
    hash.assertSound();
    if (!session.ledger.complete && !isHandOverDue()) session.assertTime();
  }

  async #sendPart(partNumber: number, source: InspectSourceResult, session: OpenSession): Promise<true> {
    const { calls, hash, tuning, expected, onChange } = this.#options;
    try {
      const isWhole = session.ledger.plan.partCount === 1 && source.isSmall === true;
      const sent = await expected.call(
        source,
        (fingerprint) => calls.sendPart(partNumber, fingerprint, session, tuning.limit, isWhole),
        (result) => calls.sentPart(result, isWhole),
      );
      const { partId, attempt } = sent;
      const tooLong = partIdsProblem(session.ledger.plan.partCount, partId);
      if (tooLong !== undefined) throw ApplicationFailure.nonRetryable(tooLong, FailureType.PayloadTooLarge);
      session.ledger.record(partNumber, partId);
      if (isWhole) hash.adopt(sent);
      this.#sent += attempt;
      if (attempt > 1) session.resent = true;
    } catch (error) {
      if (isCancellation(error)) session.noteStoppedPart();
      else this.#sent += session.noteFailedPart(error);
      throw error;
    }
    session.warnOfEarlyEnd();
    onChange();
    return true;
  }
}
