import { CancelledFailure } from '@temporalio/common';
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
import type { UploadsClient } from '../src/openai/uploads-client.ts';
import { runAttempt, type Attempt } from './attempt.ts';
import { rotated, Troubles } from './batch/failures.ts';
import { inLanes } from './batch/lanes.ts';
import { lostSession, SmallFile } from './batch/small-file.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { isRejectedBeforeWork, toApplicationFailure } from './failures.ts';
import { scopedSourceError } from './source-scope.ts';

type EndOutcome = Exclude<SendOutcome, { readonly left: LeftFile }>;

/**
 * Sends the files of a batch into their sessions and completes them. An attempt after one that may have completed a
 * session settles that file: an Upload that can be cancelled was not completed, and the File of an Upload that cannot be
 * cancelled is searched. Nothing is ever sent into such a session again. An attempt after one that surely completed
 * nothing repeats only what is missing.
 *
 * An attempt that sent a file, or in which a file failed, returns: the caller calls again for the files that are left. So
 * a file that fails again and again does not delay the report about the others.
 */
export function createSendBatch(dependencies: ActivityDependencies): TransferActivities['sendBatch'] {
  return (input) => {
    let run: SendRun | undefined;
    return runAttempt<SendBatchResult, SendBatchHeartbeat>(
      async (attempt) => {
        const client = dependencies.destination(input.destination);
        run = new SendRun({ dependencies, client, input, attempt });
        return run.run();
      },
      () => run?.heartbeat(),
    );
  };
}

interface SendRunOptions {
  readonly dependencies: ActivityDependencies;
  readonly client: UploadsClient;
  readonly input: SendBatchInput;
  readonly attempt: Attempt<SendBatchHeartbeat>;
}

/** One attempt. */
class SendRun {
  readonly #dependencies: ActivityDependencies;
  readonly #client: UploadsClient;
  readonly #input: SendBatchInput;
  readonly #attempt: Attempt<SendBatchHeartbeat>;
  readonly #troubles = new Troubles();
  readonly #outcomes = new Map<number, EndOutcome>();
  /** Of the files that are left, by what earlier attempts and this one have done. */
  readonly #left = new Map<number, LeftFile>();
  /** Files that this attempt works on no longer. */
  readonly #ended = new Set<number>();

  constructor({ dependencies, client, input, attempt }: SendRunOptions) {
    this.#dependencies = dependencies;
    this.#client = client;
    this.#input = input;
    this.#attempt = attempt;
    const { lastBeat } = attempt;
    const isOfLastAttempt = lastBeat?.attempt === attempt.attempt - 1;
    for (const [index, file] of input.files.entries()) {
      const outcome = lastBeat?.outcomes[index];
      const clean = isOfLastAttempt ? lastBeat?.clean[index] : undefined;
      if (outcome) this.#outcomes.set(index, outcome);
      else if (file.inDoubt || file.onlySettle || attempt.attempt === 1) this.#left.set(index, leftOf(file));
      else if (clean === undefined) this.#left.set(index, { inDoubt: true });
      else this.#left.set(index, { sentPart: clean ?? file.sentPart });
    }
  }

  async run(): Promise<SendBatchResult> {
    const { signal, attempt, isWorkerStopping } = this.#attempt;
    await inLanes(rotated([...this.#left.keys()], attempt), this.#input.concurrency, {
      work: (index) => this.#work(index),
      isOver: () => signal.aborted || this.#troubles.areEverywhere,
    });
    // From now on, nothing is done in this attempt.
    for (const index of this.#left.keys()) this.#ended.add(index);
    if (this.#outcomes.size === 0) {
      if (isWorkerStopping()) signal.throwIfAborted();
      if (!signal.aborted) {
        this.#attempt.beatNow();
        throw this.#troubles.failure([...this.#input.files.keys()].map((index) => this.#left.get(index)));
      }
    }
    const outcomes = [...this.#input.files.keys()].map((index) => this.#outcomeOf(index));
    return { outcomes, pauseMs: this.#left.size > 0 ? this.#troubles.pauseMs : undefined };
  }

  heartbeat(): SendBatchHeartbeat {
    const clean = [...this.#ended].flatMap((index) => {
      const left = this.#left.get(index);
      return left && !left.inDoubt ? [[index, left.sentPart ?? null] as const] : [];
    });
    return {
      attempt: this.#attempt.attempt,
      outcomes: Object.fromEntries(this.#outcomes),
      clean: Object.fromEntries(clean),
    };
  }

  async #work(index: number): Promise<void> {
    const file = this.#input.files[index] as SendBatchFile;
    const { signal, attempt } = this.#attempt;
    const { inDoubt } = this.#left.get(index) as LeftFile;
    const calls = new SmallFile(this.#dependencies, this.#client, {
      input: this.#input,
      file,
      attempt: this.#attempt,
    });
    try {
      const settles = inDoubt || file.onlySettle;
      const sent = settles ? await calls.settle(!inDoubt) : await this.#send(index, calls);
      this.#end(index, { sent });
      this.#troubles.succeeded();
    } catch (error) {
      if (!signal.aborted || lostSession(error, attempt)) await this.#failed(index, error);
    }
    this.#ended.add(index);
  }

  /** @throws the error of the call, not its failure */
  async #send(index: number, calls: SmallFile): Promise<SentFile> {
    const { signal, attempt } = this.#attempt;
    const { watchPart = (_, body) => body() } = this.#dependencies;
    let thrown: { readonly error: unknown } | undefined;
    const watched = () =>
      this.#sendAndComplete(index, calls).catch((error: unknown) => {
        thrown = { error };
        throw signal.aborted ? new CancelledFailure('cancelled') : toApplicationFailure(error, { attempt });
      });
    try {
      return await watchPart({ destination: this.#input.destination, attempt }, watched);
    } catch (error) {
      throw thrown ? thrown.error : error;
    }
  }

  async #sendAndComplete(index: number, calls: SmallFile): Promise<SentFile> {
    const { signal } = this.#attempt;
    const sentPart = this.#left.get(index)?.sentPart ?? (await calls.send());
    this.#left.set(index, { sentPart });
    signal.throwIfAborted();
    this.#left.set(index, { inDoubt: true });
    try {
      return await calls.complete(sentPart);
    } catch (error) {
      if (isRejectedBeforeWork(error)) this.#left.set(index, { sentPart });
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
    if (failure) this.#end(index, { failure });
  }

  #end(index: number, outcome: EndOutcome): void {
    this.#outcomes.set(index, outcome);
    this.#left.delete(index);
  }

  #outcomeOf(index: number): SendOutcome {
    return this.#outcomes.get(index) ?? { left: this.#left.get(index) as LeftFile };
  }
}

function leftOf({ sentPart, inDoubt }: SendBatchFile): LeftFile {
  return { sentPart, inDoubt };
}
