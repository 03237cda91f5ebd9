import { ActivityFailure, ApplicationFailure, CancellationScope, isCancellation, patched } from '@temporalio/workflow';
import type { PlannedUpload, SendSmallFileResult } from '../../src/contracts/activities.ts';
import { FailureType, type SentPart } from '../../src/contracts/failures.ts';
import { Defaults } from '../../src/contracts/limits.ts';
import type { UploadSession } from '../../src/contracts/upload.ts';
import { detailsOf } from '../shell/failures.ts';
import type { SyncCalls } from './calls.ts';

/** A session of a small file, and what the last call in it has left there. */
interface SmallSession {
  readonly info: UploadSession;
  /** Unix milliseconds, by Temporal's clock. */
  readonly endsAtMs: number;
  /** No completion can have taken effect: the same session can be used again. */
  isClean: boolean;
  sentPart: SentPart | undefined;
}

/** The upload of one small file. A session is begun only when it is known what became of the one before it. */
export class SmallUpload {
  readonly #calls: SyncCalls;
  readonly #planned: PlannedUpload;
  #session: SmallSession | undefined;
  #sessionsLeft: number;
  #wasRejected = false;

  constructor(calls: SyncCalls, planned: PlannedUpload) {
    this.#calls = calls;
    this.#planned = planned;
    const { maxSessions } = calls;
    // Executions that began with an earlier version opened three.
    const isPatched = maxSessions !== undefined && patched('small-file-sessions');
    this.#sessionsLeft = isPatched ? maxSessions : Defaults.maxSessions;
  }

  /** May be called again after it threw. */
  async attempt(): Promise<SendSmallFileResult> {
    for (;;) {
      if (!this.#isUsable) {
        const result = await this.#settle();
        if (result) return result;
      }
      const session = (this.#session ??= await this.#open());
      try {
        return await this.#calls.sendSmall(this.#planned, session.info, session.sentPart);
      } catch (error) {
        const { notDone, sentPart, status } = detailsOf(error) ?? {};
        session.isClean = notDone === true;
        session.sentPart = sentPart;
        if (isOfType(error, FailureType.SessionLost)) this.#session = undefined;
        // Another client may have cancelled it. The next session shows whether the request itself is rejected.
        else if (status === 400 && session.isClean && !this.#wasRejected) {
          this.#wasRejected = true;
          await this.#settle();
        } else throw error;
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

  get #isUsable(): boolean {
    return this.#session !== undefined && this.#session.isClean && Date.now() < this.#session.endsAtMs;
  }

  async #open(): Promise<SmallSession> {
    const info = await this.#calls.openSmall(this.#planned);
    this.#sessionsLeft--;
    const endsAtMs = Date.now() + (info.expiresAt - info.createdAt - 1) * 1000;
    return { info, endsAtMs, isClean: true, sentPart: undefined };
  }

  async #settle(): Promise<SendSmallFileResult | undefined> {
    const session = this.#session;
    if (!session) return undefined;
    try {
      return await this.#calls.settleSmall(this.#planned, session.info, session.isClean);
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
