import { ActivityFailure, ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { PlannedUpload, SendSmallFileResult } from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import { Defaults } from '../src/contracts/limits.ts';
import type { UploadSession } from '../src/contracts/upload.ts';
import type { SyncCalls } from './sync-calls.ts';

/** The upload of one small file. A session is begun only when it is known what became of the one before it. */
export class SmallUpload {
  readonly #calls: SyncCalls;
  readonly #planned: PlannedUpload;
  #session: UploadSession | undefined;
  #sessionsLeft: number = Defaults.maxSessions;

  constructor(calls: SyncCalls, planned: PlannedUpload) {
    this.#calls = calls;
    this.#planned = planned;
  }

  /** May be called again after it threw. */
  async attempt(): Promise<SendSmallFileResult> {
    for (;;) {
      const result = await this.#settle();
      if (result) return result;
      this.#session = await this.#calls.openSmall(this.#planned);
      this.#sessionsLeft--;
      try {
        return await this.#calls.sendSmall(this.#planned, this.#session);
      } catch (error) {
        if (!isOfType(error, FailureType.SessionLost)) throw error;
        this.#session = undefined;
        if (this.#sessionsLeft < 1) throw error;
      }
    }
  }

  /** After the last failure: the File that came of the session all the same; otherwise the session is cancelled. */
  async end(error: unknown): Promise<SendSmallFileResult | undefined> {
    if (isOfType(error, FailureType.CompletionUncertain)) return undefined;
    return CancellationScope.nonCancellable(() => this.#settle()).catch((trouble: unknown) => {
      if (isCancellation(trouble)) throw trouble;
      return undefined;
    });
  }

  async #settle(): Promise<SendSmallFileResult | undefined> {
    const session = this.#session;
    if (!session) return undefined;
    try {
      return await this.#calls.sendSmall(this.#planned, session, true);
    } catch (error) {
      if (!isOfType(error, FailureType.SessionLost)) throw error;
      this.#session = undefined;
      return undefined;
    }
  }
}

function isOfType(error: unknown, type: FailureType): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.type === type;
}
