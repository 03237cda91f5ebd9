import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { PlannedUpload, SendSmallFileResult } from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { detailsOf } from '../shell/failures.ts';
import { Parking } from '../shell/parking.ts';
import { SmallUpload } from './small-upload.ts';
import type { SyncCalls } from './calls.ts';

/** A single file's own trouble: the others don't wait for it. */
const SOURCE_FAILURES: readonly string[] = [FailureType.SourceMissing, FailureType.SourceUnavailable];

/** Small files of a sync. Trouble of the service is waited out for all of them together. */
export class SmallUploads {
  readonly #calls: SyncCalls;
  readonly #parking: Parking;

  constructor(calls: SyncCalls, giveUpAfterMs: number, onChange: () => void) {
    this.#calls = calls;
    this.#parking = new Parking(giveUpAfterMs, onChange);
  }

  get waiting(): WaitingInfo | undefined {
    return this.#parking.waiting;
  }

  retry(): void {
    this.#parking.retry();
  }

  /** @throws what ended the upload of this file, or all patience */
  async send(planned: PlannedUpload): Promise<SendSmallFileResult> {
    const upload = new SmallUpload(this.#calls, planned);
    try {
      return await this.#parking.insist(() => this.#attempt(upload));
    } catch (error) {
      const result = await upload.end(error);
      if (result && !isCancellation(error)) return result;
      // So that the next one learns that all patience is over.
      if (this.#parking.spent && !isCancellation(error)) this.#parking.retry();
      throw error;
    }
  }

  async #attempt(upload: SmallUpload): Promise<SendSmallFileResult> {
    // What outlasted all patience for one file is not waited for again with each of the others.
    if (this.#parking.spent) throw this.#parking.spent.error;
    try {
      return await upload.attempt();
    } catch (error) {
      const cause = error instanceof ActivityFailure ? error.cause : undefined;
      const isOfSource = cause instanceof ApplicationFailure && SOURCE_FAILURES.includes(cause.type ?? '');
      // If the whole folder or bucket cannot be read, all files wait for it.
      throw isOfSource && detailsOf(error)?.sourceScope !== 'container' ? cause : error;
    }
  }
}
