import { CancelledFailure } from '@temporalio/common';
import pMap from 'p-map';
import type { TransferActivities } from '../src/contracts/activities.ts';
import type {
  LeftFile,
  SendBatchFile,
  SendBatchHeartbeat,
  SendBatchInput,
  SendBatchResult,
  SendOutcome,
  SentFile,
} from '../src/contracts/batch.ts';
import { sendHeartbeat } from '../src/core/shape/heartbeats.ts';
import { runAttempt, type Attempt } from './attempt.ts';
import { rotated, Troubles } from './batch/failures.ts';
import { smallFileCalls, type SmallFileCalls } from './batch/small-file.ts';
import { lostSession } from './completion/words.ts';
import { AbortedError, ApiError, ConnectionError, TimeoutError } from '../src/errors.ts';
import type { SentPart } from '../src/contracts/failures.ts';
import type { PartWatch } from '../src/destinations/port.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { isRejectedBeforeWork, toApplicationFailure } from './failures.ts';
import { watchedPart } from './part.ts';
import { scopedSourceError } from './source-scope.ts';

type EndOutcome = Exclude<SendOutcome, { readonly left: LeftFile }>;

/** Time for a Part in flight when the batch is paused or cancelled. */
const CANCEL_GRACE_MS = 3000;

/**
 * Sends the files of a batch into their sessions and completes them. If an earlier attempt can have completed a session,
 * this attempt sends nothing into that session. It cancels the Upload, which proves that it was not completed, or searches
 * its File. If an earlier attempt certainly completed nothing, this attempt repeats only the missing calls.
 *
 * An attempt in which a file was sent or failed returns, and the caller repeats the call for the remaining files. So a file
 * that fails repeatedly does not delay the report about the others.
 */
export function createSendBatch(dependencies: ActivityDependencies): TransferActivities['sendBatch'] {
  return (input) => {
    let run: SendRun | undefined;
    return runAttempt<SendBatchResult, SendBatchHeartbeat>(
      async (attempt) => {
        const grace = gracefulSignal(attempt);
        try {
          run = new SendRun({ dependencies, input, attempt, partSignal: grace.signal });
          return await run.run();
        } finally {
          grace.release();
        }
      },
      () => run?.heartbeat(),
      sendHeartbeat,
    );
  };
}

/** A pause or a cancellation waits for a Part in flight, so that it is not resent. */
function gracefulSignal({ signal, stopSignal }: Attempt<unknown>) {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const abort = () => controller.abort(signal.reason);
  const onAbort = () => {
    if (stopSignal.aborted) abort();
    else timer = setTimeout(abort, CANCEL_GRACE_MS);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  stopSignal.addEventListener('abort', abort, { once: true });
  return { signal: controller.signal, release: () => clearTimeout(timer) };
}

interface SendRunOptions {
  readonly partSignal: AbortSignal;
  readonly dependencies: ActivityDependencies;
  readonly input: SendBatchInput;
  readonly attempt: Attempt<SendBatchHeartbeat>;
}

class SendRun {
  readonly #dependencies: ActivityDependencies;
  readonly #input: SendBatchInput;
  readonly #attempt: Attempt<SendBatchHeartbeat>;
  readonly #partSignal: AbortSignal;
  readonly #troubles = new Troubles();
  readonly #outcomes = new Map<number, EndOutcome>();
  /** The remaining files, after earlier attempts and this attempt. */
  readonly #left = new Map<number, LeftFile>();
  /** Files that this attempt no longer processes. */
  readonly #ended = new Set<number>();
  #isOver = false;

  constructor({ dependencies, input, attempt, partSignal }: SendRunOptions) {
    this.#partSignal = partSignal;
    this.#dependencies = dependencies;
    this.#input = input;
    this.#attempt = attempt;
    const { lastBeat } = attempt;
    const isOfLastAttempt = lastBeat?.attempt === attempt.attempt - 1;
    for (const [index, file] of input.files.entries()) {
      const { sentPart, inDoubt, mayHavePart } = file;
      const outcome = lastBeat?.outcomes[index];
      const left = isOfLastAttempt ? lastBeat?.left[index] : undefined;
      if (outcome) this.#outcomes.set(index, outcome);
      else if (inDoubt || file.onlySettle || attempt.attempt === 1) {
        this.#left.set(index, { sentPart, inDoubt, mayHavePart });
      } else this.#left.set(index, left ?? { inDoubt: 'worker', sentPart: lastBeat?.left[index]?.sentPart });
    }
  }

  async run(): Promise<SendBatchResult> {
    const { signal, attempt, isWorkerStopping } = this.#attempt;
    const workNext = async (index: number) => {
      if (!signal.aborted && !this.#troubles.areEverywhere) await this.#work(index);
    };
    await pMap(rotated([...this.#left.keys()], attempt), workNext, { concurrency: this.#input.concurrency });
    this.#isOver = true;
    if (this.#outcomes.size === 0) {
      if (isWorkerStopping()) signal.throwIfAborted();
      if (!signal.aborted) {
        this.#attempt.beatNow();
        throw this.#troubles.failure([...this.#input.files.keys()].map((index) => this.#left.get(index)));
      }
    }
    const outcomes = [...this.#input.files.keys()].map(
      (index): SendOutcome => this.#outcomes.get(index) ?? { left: this.#left.get(index) as LeftFile },
    );
    return { outcomes, pauseMs: this.#left.size > 0 ? this.#troubles.pauseMs : undefined };
  }

  heartbeat(): SendBatchHeartbeat {
    const left: Record<number, LeftFile> = {};
    for (const [index, file] of this.#left) {
      if (this.#isOver || this.#ended.has(index)) left[index] = file;
      // Its completion can succeed after this heartbeat. The MD5 then identifies its File.
      else if (file.sentPart) left[index] = { ...file, inDoubt: 'worker' };
    }
    return { attempt: this.#attempt.attempt, outcomes: Object.fromEntries(this.#outcomes), left };
  }

  async #work(index: number): Promise<void> {
    const file = this.#input.files[index] as SendBatchFile;
    const { signal, attempt } = this.#attempt;
    const { inDoubt, sentPart } = this.#left.get(index) as LeftFile;
    try {
      const options = { input: this.#input, file, attempt: this.#attempt, partSignal: this.#partSignal };
      const calls = smallFileCalls(this.#dependencies, options);
      const settles = inDoubt || file.onlySettle;
      const sent = settles ? await calls.settle(!inDoubt, sentPart?.md5) : await this.#send(index, calls);
      this.#end(index, { sent });
      this.#troubles.succeeded();
    } catch (error) {
      if (!signal.aborted || lostSession(error, attempt)) await this.#failed(index, error);
    }
    this.#ended.add(index);
  }

  /** @throws the error of the call, which is not converted to a failure */
  async #send(index: number, calls: SmallFileCalls): Promise<SentFile> {
    const { signal, attempt } = this.#attempt;
    let thrown: { readonly error: unknown } | undefined;
    const send = (watch: PartWatch | undefined) =>
      this.#sendAndComplete(index, calls, watch).catch((error: unknown) => {
        thrown = { error };
        throw signal.aborted ? new CancelledFailure('cancelled') : toApplicationFailure(error, { attempt });
      });
    try {
      return await watchedPart(this.#dependencies, { destination: this.#input.destination, attempt }, send);
    } catch (error) {
      throw thrown ? thrown.error : error;
    }
  }

  async #sendAndComplete(index: number, calls: SmallFileCalls, watch: PartWatch | undefined): Promise<SentFile> {
    const { signal } = this.#attempt;
    const left = this.#left.get(index);
    const sentPart = left?.sentPart ?? (await this.#sendPart(index, () => calls.send(watch)));
    const { mayHavePart } = left ?? {};
    this.#left.set(index, { sentPart, mayHavePart });
    signal.throwIfAborted();
    // Its MD5 identifies the File, also if the source changes in the meantime.
    this.#left.set(index, { sentPart, inDoubt: 'response', mayHavePart });
    try {
      return await calls.complete(sentPart);
    } catch (error) {
      if (isRejectedBeforeWork(error)) this.#left.set(index, { sentPart, mayHavePart });
      throw error;
    }
  }

  async #sendPart(index: number, send: () => Promise<SentPart>): Promise<SentPart> {
    try {
      return await send();
    } catch (error) {
      if (mayHaveArrived(error)) this.#left.set(index, { mayHavePart: true });
      throw error;
    }
  }

  async #failed(index: number, error: unknown): Promise<void> {
    const { attempt, signal } = this.#attempt;
    const { sources } = this.#dependencies;
    const isClean = !this.#left.get(index)?.inDoubt;
    const facts = { attempt, notDone: isClean ? (true as const) : undefined };
    const one = { within: this.#input.source, failsQuickly: true };
    const lost = lostSession(error, attempt);
    const scoped = lost ?? (await scopedSourceError(error, one, facts, { sources, signal }));
    const failure = this.#troubles.add(toApplicationFailure(scoped, facts));
    if (!failure) return;
    const { mayHavePart, inDoubt } = this.#left.get(index) ?? {};
    const isExcused = inDoubt === 'worker' ? (true as const) : undefined;
    this.#end(index, { failure: { ...failure, mayHavePart, isExcused } });
  }

  #end(index: number, outcome: EndOutcome): void {
    this.#outcomes.set(index, outcome);
    this.#left.delete(index);
  }
}

function mayHaveArrived(error: unknown): boolean {
  if (error instanceof ApiError) return error.details.status >= 500;
  return [ConnectionError, TimeoutError, AbortedError].some((kind) => error instanceof kind);
}
