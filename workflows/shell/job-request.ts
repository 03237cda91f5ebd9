import type { Admitted, FailureDetails, JobSubject } from '../../src/contracts/failures.ts';
import { firstGiveUpAfterMs, givenName, type RawRequest } from './requests.ts';

interface RequestFacts {
  readonly subject: JobSubject;
  readonly giveUpAfterMs: number;
}

/** The request of a job, before and after the first activity has checked it. */
export class JobRequest<Checked extends Admitted<unknown>> {
  readonly raw: RawRequest;
  readonly #factsOf: (checked: Checked) => RequestFacts;
  #checked: Checked | undefined;
  /** Before the request is checked, those in the last failure of the first activity. */
  #facts: Partial<RequestFacts> = {};

  constructor(request: object, factsOf: (checked: Checked) => RequestFacts) {
    this.raw = { ...request };
    this.#factsOf = factsOf;
  }

  /** The result of the first activity; undefined before it. */
  get checked(): Checked | undefined {
    return this.#checked;
  }

  /** @throws Error before the first activity has completed */
  get full(): Checked['request'] {
    if (!this.#checked) throw new Error('the request is not available before the first activity has checked it');
    return this.#checked.request;
  }

  get subject(): JobSubject | undefined {
    return this.#facts.subject;
  }

  /** Name of the File or of the folder, for the progress. */
  get name(): string {
    return this.subject?.filename ?? givenName(this.raw);
  }

  /** Retry period in milliseconds; 0: without a limit. */
  get giveUpAfterMs(): number {
    return this.#facts.giveUpAfterMs ?? firstGiveUpAfterMs(this.raw);
  }

  admit(checked: Checked): void {
    this.#checked = checked;
    this.#facts = this.#factsOf(checked);
  }

  /** @param details of a failure of the first activity */
  failed(details: FailureDetails | undefined): void {
    if (!this.#checked && details) this.#facts = details;
  }
}
