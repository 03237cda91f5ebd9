import { CancellationScope } from '@temporalio/workflow';
import type { HashCheckpoint, SourceInfo } from '../../src/contracts/activities.ts';
import type { ExpectedSource } from './expected-source.ts';
import { HandOverDue, type Waiting } from '../shell/waiting.ts';
import type { UploadCalls } from './calls.ts';

/** State for the next execution, as plain JSON. */
export interface CarriedHash {
  readonly md5: string | null;
  readonly hashCheckpoint: HashCheckpoint | null;
}

/** The MD5 of the whole file, which is computed in parallel with the parts. */
export class SourceHash {
  readonly #calls: UploadCalls;
  readonly #waiting: Waiting;
  readonly #scope = new CancellationScope();
  #md5: string | null;
  #checkpoint: HashCheckpoint | null;
  #failure: { readonly error: unknown } | undefined;
  #isHandOverDue = false;

  constructor(calls: UploadCalls, waiting: Waiting, carried?: CarriedHash) {
    this.#calls = calls;
    this.#waiting = waiting;
    this.#md5 = carried?.md5 ?? null;
    this.#checkpoint = carried?.hashCheckpoint ?? null;
  }

  /** Lower-case hex, after it is computed. */
  get md5(): string | null {
    return this.#md5;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** @param md5 that the activity of a part has computed */
  adopt(md5: string): void {
    this.#md5 = md5;
  }

  /** Never rejects: `result` throws the failure. */
  async run(source: SourceInfo, asExpected: ExpectedSource['call']): Promise<void> {
    if (this.#md5 !== null) return;
    try {
      const hash = () => asExpected(source, (expected) => this.#calls.hash(expected, this.#checkpoint));
      const outcome = await this.#scope.run(() => this.#waiting.repeat(hash));
      if ('md5' in outcome) this.#md5 = outcome.md5;
      else this.#checkpoint = outcome.checkpoint;
    } catch (error) {
      if (error instanceof HandOverDue) this.#isHandOverDue = true;
      else this.#failure = { error };
    }
  }

  /** Stops the activity, which returns a checkpoint from which the next execution resumes. */
  stop(): void {
    this.#scope.cancel();
  }

  /**
   * @throws its failure
   * @throws HandOverDue if it waits and the next execution must continue it
   */
  assertSound(): void {
    if (this.#isHandOverDue) throw new HandOverDue();
    if (this.#failure) throw this.#failure.error;
  }

  toJSON(): CarriedHash {
    return { md5: this.#md5, hashCheckpoint: this.#checkpoint };
  }
}
