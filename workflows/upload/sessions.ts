import { CancellationScope, log } from '@temporalio/workflow';
import type { InspectSourceResult } from '../../src/contracts/activities.ts';
import type { UploadedFile } from '../../src/contracts/upload.ts';
import { partSizeWithin, planParts } from '../../src/core/upload/plan.ts';
import { SessionBudget, type CarriedSessions } from '../../src/core/upload/sessions.ts';
import type { UploadTuning } from '../../src/core/upload/tuning.ts';
import { countReplacedSession } from '../shell/counters.ts';
import { isNotDone, unansweredBy } from '../shell/failures.ts';
import { checkedResult } from '../shell/results.ts';
import { completedFile, type UploadCalls } from './calls.ts';
import { lastSessionLost, OpenSession, otherBytes, type CarriedSession } from './open-session.ts';
import type { UploadWaits } from './waits.ts';

/** State for the next execution, as plain JSON. */
export interface CarriedUploadSessions extends CarriedSessions {
  /** Omitted if no session is open. */
  readonly session?: CarriedSession;
  /** Whether a completion of the session can have succeeded without a response. @defaultValue false */
  readonly mayBeCompleted?: boolean;
}

interface SessionsOptions {
  readonly calls: UploadCalls;
  readonly waits: UploadWaits;
  readonly tuning: UploadTuning;
  readonly maxSessions: () => number;
}

/** The sessions of one upload, of which one at most is open: opens, completes, replaces and cancels them. */
export class UploadSessions {
  readonly #options: SessionsOptions;
  readonly #budget: SessionBudget;
  #current: OpenSession | undefined;
  /** Whether a completion of the session can have succeeded without a response. */
  #mayBeCompleted: boolean;

  constructor(options: SessionsOptions, carried?: CarriedUploadSessions) {
    this.#options = options;
    this.#budget = new SessionBudget(options.maxSessions, carried);
    this.#current = carried?.session && OpenSession.of(carried.session);
    this.#mayBeCompleted = carried?.mayBeCompleted ?? false;
  }

  get current(): OpenSession | undefined {
    return this.#current;
  }

  get opened(): number {
    return this.#budget.opened;
  }

  /** Sessions that were possibly opened, without a response. */
  get orphaned(): number {
    return this.#budget.orphaned;
  }

  async open(source: InspectSourceResult): Promise<OpenSession> {
    const { calls, waits, tuning } = this.#options;
    const failed = (error: unknown): never => {
      this.#budget.orphan(unansweredBy(error));
      throw error;
    };
    const create = () =>
      calls.create(source).then((result) => orElse(() => checkedResult('createUpload', result), failed), failed);
    const { unanswered = 0, ...info } = await waits.calls.repeat(create);
    this.#budget.open(unanswered);
    const { sizeBytes, limits } = source;
    const partSizeBytes = partSizeWithin(limits, sizeBytes, tuning.nextPartSizeBytes);
    this.#current = new OpenSession(info, planParts(sizeBytes, partSizeBytes));
    return this.#current;
  }

  async complete(session: OpenSession, md5: string | null): Promise<UploadedFile> {
    const { calls, waits } = this.#options;
    const failed = (error: unknown): never => {
      this.#mayBeCompleted ||= !isNotDone(error);
      throw error;
    };
    const complete = () =>
      calls
        .complete(session, md5, this.#mayBeCompleted)
        .then((result) => orElse(() => completedFile(result, session), failed), failed);
    return waits.calls.repeat(complete);
  }

  /**
   * Cancels the session after a failure, so that a new one can be opened.
   *
   * @returns the File of the session, if a completion without a clear response succeeded
   * @throws the error if a new session cannot help, or if the maximum number is reached
   */
  async replace(
    session: OpenSession,
    error: unknown,
    source: InspectSourceResult,
    md5: string | null,
  ): Promise<UploadedFile | undefined> {
    const { waits } = this.#options;
    // Only once, even if both conditions are true. Otherwise an upload could use an additional session.
    const isExcused = waits.hasWaitedIn(session) || session.smallerPartSizeBytes(error, source.limits) !== undefined;
    if (isExcused) this.#budget.excuse();
    const isLost = session.isLostBy(error);
    if (!isLost && !this.#mayTryAnother(error, source, session)) throw otherBytes(error);
    const { opened, left: sessionsLeft } = this.#budget;
    if (sessionsLeft < 1) throw isLost ? lastSessionLost(error, opened) : otherBytes(error);
    const { uploadId } = session.info;
    log.warn('the session is lost, and its parts are resent in a new session', { uploadId, sessionsLeft });
    countReplacedSession(session.ledger.bytesDone);
    // Also if the upload is cancelled now, because no later step cancels this session.
    const file = await this.cancel(md5);
    if (file) return file;
    this.#current = undefined;
    this.#mayBeCompleted = false;
    return undefined;
  }

  /**
   * Cancels the session, also if the upload is cancelled.
   *
   * @returns the File of the session, if a completion without a clear response succeeded
   */
  cancel(md5: string | null): Promise<UploadedFile | undefined> {
    return CancellationScope.nonCancellable(async () => {
      const session = this.#current;
      if (!session) return undefined;
      try {
        const result = await this.#options.calls.cancel(session, this.#mayBeCompleted, md5);
        const { sizeBytes } = session.ledger.plan;
        return checkedResult('cancelUpload', result, (file) => !file || file.bytes === sizeBytes) ?? undefined;
      } catch (error) {
        log.warn('cannot cancel the session, which expires automatically', { ...session.info, error });
        return undefined;
      }
    });
  }

  toJSON(): CarriedUploadSessions {
    return {
      session: this.#current?.toJSON(),
      ...this.#budget.toJSON(),
      mayBeCompleted: this.#mayBeCompleted ? true : undefined,
    };
  }

  /** Whether a new session can succeed although this session is not lost. */
  #mayTryAnother(error: unknown, { limits }: InspectSourceResult, session: OpenSession): boolean {
    const partSizeBytes = session.smallerPartSizeBytes(error, limits);
    if (partSizeBytes !== undefined) {
      log.warn('the service rejects parts of this size (413), so a new session uses smaller parts', {
        partSizeBytes: session.ledger.plan.partSizeBytes,
        nextPartSizeBytes: partSizeBytes,
      });
      this.#options.tuning.retune({ partSizeBytes });
      return true;
    }
    if (OpenSession.isWrongMd5(error)) return this.#budget.forgiveWrongMd5();
    return OpenSession.isRejectedPart(error) && this.#budget.forgiveRejectedPart();
  }
}

/** As a promise's `catch`, in the same turn of the event loop. */
function orElse<Result>(get: () => Result, failed: (error: unknown) => never): Result {
  try {
    return get();
  } catch (error) {
    return failed(error);
  }
}
