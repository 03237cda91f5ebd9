import { CancellationScope } from '@temporalio/workflow';
import type { SourceInfo } from '../../src/contracts/activities.ts';
import type { HashCheckpoint } from '../../src/contracts/content.ts';
import type { ExpectedSource } from './expected-source.ts';
import { HandOverDue, type Waiting } from '../shell/waiting.ts';
import type { UploadCalls } from './calls.ts';

/** State for the next execution, as plain JSON. */
export interface CarriedHash {
  readonly md5: string | null;
  readonly hashCheckpoint: HashCheckpoint | null;
  readonly sha256?: string | undefined;
  /** Whether the content was read without an MD5. @defaultValue false */
  readonly isChecked?: boolean;
  /** Of the check. @defaultValue none */
  readonly warnings?: readonly string[];
}

/** The pass over the whole file in parallel with the parts: its digests, and the check of its content. */
export class SourceHash {
  readonly #calls: UploadCalls;
  readonly #waiting: Waiting;
  readonly #scope = new CancellationScope();
  #md5: string | null;
  #sha256: string | undefined;
  #checkpoint: HashCheckpoint | null;
  #failure: { readonly error: unknown } | undefined;
  #isHandOverDue = false;
  #isChecked: boolean;
  #warnings: readonly string[] | undefined;

  constructor(calls: UploadCalls, waiting: Waiting, carried?: CarriedHash) {
    this.#calls = calls;
    this.#waiting = waiting;
    this.#md5 = carried?.md5 ?? null;
    this.#sha256 = carried?.sha256;
    this.#checkpoint = carried?.hashCheckpoint ?? null;
    this.#isChecked = carried?.isChecked ?? false;
    this.#warnings = carried?.warnings;
  }

  /** Lower-case hex, after it is computed. */
  get md5(): string | null {
    return this.#md5;
  }

  /** As `md5`; undefined if it was not requested. */
  get sha256(): string | undefined {
    return this.#sha256;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Findings of the check that do not make the content invalid; undefined: none. */
  get warnings(): readonly string[] | undefined {
    return this.#warnings;
  }

  /** @param result of the activity of a part that was the whole file; without an MD5, it was only checked */
  adopt({
    md5,
    sha256,
    warnings,
  }: {
    readonly md5?: string | undefined;
    readonly sha256?: string | undefined;
    readonly warnings?: readonly string[] | undefined;
  }): void {
    if (md5) this.#md5 = md5;
    this.#sha256 = sha256;
    this.#isChecked = true;
    this.#warnings = warnings;
  }

  /** Never rejects: `result` throws the failure. */
  async run(source: SourceInfo, asExpected: ExpectedSource['call']): Promise<void> {
    if (this.#md5 !== null || this.#isChecked) return;
    try {
      const hash = () =>
        asExpected(
          source,
          (expected) => this.#calls.hash(expected, this.#checkpoint),
          (result) => this.#calls.hashed(result, this.#scope.consideredCancelled),
        );
      const outcome = await this.#scope.run(() => this.#waiting.repeat(hash));
      if ('md5' in outcome) this.adopt(outcome);
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
    const isChecked = this.#isChecked && this.#md5 === null ? true : undefined;
    const [md5, sha256, warnings] = [this.#md5, this.#sha256, this.#warnings];
    return { md5, sha256, hashCheckpoint: this.#checkpoint, isChecked, warnings };
  }
}
