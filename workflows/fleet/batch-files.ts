import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import type {
  CarriedFile,
  FileFailure,
  LeftFiles,
  OpenBatchResult,
  OpenOutcome,
  PlannedUpload,
  SendBatchFile,
  SendBatchResult,
  SendOutcome,
  SentFile,
} from '../../src/contracts/batch.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import type { UploadSession } from '../../src/contracts/upload.ts';
import { leftFiles } from '../../src/core/shape/failure-details.ts';
import { openHeartbeat, sendHeartbeat } from '../../src/core/shape/heartbeats.ts';
import { failureIn } from '../shell/failures.ts';
import { checkedResult, type Unchecked } from '../shell/results.ts';
import type { BatchCalls } from './batch-calls.ts';

export interface BatchFilesOptions {
  readonly calls: BatchCalls;
  /** Maximum files at the same time. */
  readonly concurrency: number;
  readonly onSent: (planned: PlannedUpload, sent: SentFile) => void;
  readonly onFailed: (planned: PlannedUpload, error: unknown) => void;
}

type OpenFile = { -readonly [Key in keyof CarriedFile]: CarriedFile[Key] };

/** The uploads of small files. A new session is opened only after the result of the previous session is recorded. */
export class BatchFiles {
  readonly #options: BatchFilesOptions;
  readonly #files: Set<OpenFile>;

  constructor(files: readonly CarriedFile[], options: BatchFilesOptions) {
    this.#options = options;
    this.#files = new Set(files.map((one) => ({ ...one })));
  }

  toJSON(): CarriedFile[] {
    return [...this.#files];
  }

  get isDone(): boolean {
    return this.#files.size === 0;
  }

  get paths(): string[] {
    return [...this.#files].map(({ planned }) => planned.path);
  }

  /**
   * Opens missing sessions and sends the files that have a session.
   *
   * @returns milliseconds to wait before the next step, as the service requests
   * @throws ActivityFailure if no file has a result. The same step can be repeated
   */
  async step(): Promise<number> {
    const openPauseMs = await this.#open();
    const sendPauseMs = await this.#send();
    return Math.max(openPauseMs, sendPauseMs);
  }

  /** Cancels the sessions of all files, and reports the files: those with a File as sent, the others as failed. */
  async end(error: unknown): Promise<void> {
    let opened = [...this.#files].filter(({ session }) => session !== undefined);
    const { calls, concurrency } = this.#options;
    try {
      // A call that cancelled some sessions returns, even if it could not cancel the others.
      for (let before = Infinity; opened.length > 0 && opened.length < before;) {
        before = opened.length;
        const settle = () => calls.settle(opened.map(inputOf), concurrency);
        const { outcomes } = settledOf(await CancellationScope.nonCancellable(settle), opened);
        outcomes.forEach((outcome, index) => {
          if ('sent' in outcome) this.#sent(opened[index] as OpenFile, outcome.sent);
        });
        opened = opened.filter((_, index) => 'left' in (outcomes[index] ?? {}));
      }
    } catch {
      // The sessions expire automatically.
    }
    for (const file of this.#files) this.#failed(file, file.failure ? failureOf(file.failure) : error);
  }

  async #open(): Promise<number> {
    const files = [...this.#files].filter(({ session }) => session === undefined);
    if (files.length === 0) return 0;
    const { calls, concurrency } = this.#options;
    const planned = files.map((file) => file.planned);
    const opened = (result: Unchecked<OpenBatchResult>) =>
      checkedResult('openBatch', result, (one) => one.outcomes.length === files.length);
    const { outcomes, pauseMs = 0 } = await calls.open(planned, concurrency).then(opened, (error: unknown) => {
      const { sessions } = openHeartbeat(beatOf(error)) ?? {};
      const isOpen = Object.keys(sessions ?? {}).length > 0;
      const outcomeOf = (index: number): OpenOutcome => {
        const session = sessions?.[index];
        return session ? { session } : { left: true };
      };
      // The sessions with a known ID can be used.
      if (isOpen) return { outcomes: files.map((_, index) => outcomeOf(index)), pauseMs: 0 };
      throw error;
    });
    for (const [index, file] of files.entries()) {
      const outcome = outcomes[index] ?? { left: true };
      if ('session' in outcome) {
        const { session } = outcome;
        const endsAtMs = Date.now() + (session.expiresAt - session.createdAt - 1) * 1000;
        Object.assign(file, { session, endsAtMs, left: {}, settles: false });
        file.sessionsLeft--;
      } else if ('failure' in outcome) this.#failed(file, failureOf(outcome.failure));
    }
    return pauseMs;
  }

  async #send(): Promise<number> {
    const files = [...this.#files].filter(({ session }) => session !== undefined);
    if (files.length === 0) return 0;
    const { calls, concurrency } = this.#options;
    for (const file of files) file.settles ||= Date.now() >= file.endsAtMs;
    try {
      const { outcomes, pauseMs = 0 } = settledOf(await calls.send(files.map(inputOf), concurrency), files);
      files.forEach((file, index) => this.#take(file, outcomes[index]));
      return pauseMs;
    } catch (error) {
      // The call was not sent.
      if (!(error instanceof ActivityFailure)) throw error;
      const hasResult = this.#takeFailure(files, error);
      if (files.every(({ failure }) => failure) && !isCancellation(error)) {
        // Their sessions expire automatically.
        for (const file of files) this.#failed(file, failureOf(file.failure as FileFailure));
        return 0;
      }
      if (hasResult) return 0;
      throw error;
    }
  }

  /** @returns whether any file has a result */
  #takeFailure(files: readonly OpenFile[], error: unknown): boolean {
    const left = leftOf(error);
    const beat = sendHeartbeat(beatOf(error));
    const results = files.map((file, index) => {
      const outcome = beat?.outcomes[index];
      const { sentPart } = beat?.left[index] ?? {};
      this.#take(file, outcome ?? { left: left?.[index] ?? { inDoubt: 'worker', sentPart } });
      return outcome !== undefined;
    });
    return results.includes(true);
  }

  #take(file: OpenFile, outcome: SendOutcome = { left: { inDoubt: 'worker' } }): void {
    if ('sent' in outcome) this.#sent(file, outcome.sent);
    else if ('left' in outcome) file.left = outcome.left;
    else if (outcome.failure.type === FailureType.SessionLost) this.#lost(file, outcome.failure);
    else this.#rejected(file, outcome.failure);
  }

  #lost(file: OpenFile, failure: FileFailure): void {
    if (failure.isExcused && !file.settles) file.sessionsLeft++;
    if (file.failure || file.sessionsLeft < 1) this.#failed(file, failureOf(file.failure ?? failure));
    else Object.assign(file, { session: undefined, left: {}, settles: false });
  }

  #rejected(file: OpenFile, failure: FileFailure): void {
    const { status, notDone } = failure.details ?? {};
    if (file.failure || failure.type === FailureType.CompletionUncertain) {
      this.#failed(file, failureOf(file.failure ?? failure));
      return;
    }
    file.left = { inDoubt: notDone ? undefined : 'response' };
    file.settles = true;
    const isExcused = failure.mayHavePart || (notDone && !file.wasRejected);
    if (status !== 400 || !isExcused || file.sessionsLeft < 1) file.failure = failure;
    file.wasRejected ||= !failure.mayHavePart;
  }

  #sent(file: OpenFile, sent: SentFile): void {
    this.#files.delete(file);
    this.#options.onSent(file.planned, sent);
  }

  #failed(file: OpenFile, error: unknown): void {
    this.#files.delete(file);
    this.#options.onFailed(file.planned, error);
  }
}

function settledOf(result: Unchecked<SendBatchResult>, files: readonly OpenFile[]): SendBatchResult {
  return checkedResult('sendBatch', result, ({ outcomes }) => outcomes.length === files.length);
}

function inputOf({ planned, session, left, settles }: OpenFile): SendBatchFile {
  const { path, filename, sizeBytes, fingerprint } = planned;
  const { uploadId, createdAt: uploadCreatedAt } = session as UploadSession;
  const onlySettle = settles ? (true as const) : undefined;
  return { path, filename, sizeBytes, fingerprint, uploadId, uploadCreatedAt, ...left, onlySettle };
}

/** Heartbeat of an attempt that returned. */
function leftOf(error: unknown): LeftFiles | undefined {
  return leftFiles(failureIn(error)?.details?.[1]);
}

/** Heartbeat of the last attempt, whose worker is lost. */
function beatOf(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof TimeoutFailure ? cause.lastHeartbeatDetails : undefined;
}

function failureOf({ type, message, details }: FileFailure): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type, details);
}
