import type { JobSubject } from '../../src/contracts/failures.ts';
import type { SyncProgress } from '../../src/contracts/sync.ts';
import { syncAttributes } from '../../src/core/show/attributes.ts';
import { describeSync } from '../../src/core/show/describe-sync.ts';
import { Pace } from '../shell/pace.ts';
import { Status } from '../shell/status.ts';

interface ShownContext {
  /** Undefined until the request is checked. */
  readonly subject: JobSubject | undefined;
  /** Number of sources whose MD5 is needed and not computed yet. */
  readonly leftToRead: number;
  /** Set after its failure. */
  readonly endReason: string | undefined;
  /** Failure type of the first problem. */
  readonly firstProblem: string | undefined;
}

/** Sets the details of a sync in Temporal UI, and its search attributes. */
export class ShownSync {
  readonly #status = new Status();
  readonly #pace = new Pace();

  /** @param hasAttributes as the first activity returned it */
  use(hasAttributes: boolean | undefined): void {
    this.#status.use(hasAttributes);
  }

  show(progress: SyncProgress, { subject, leftToRead, endReason, firstProblem }: ShownContext): void {
    const context = { ...this.#pace.measure(progress.bytesDone), leftToRead, reason: endReason };
    this.#status.details(describeSync(progress, context));
    const isHeld = progress.state === 'paused' || progress.state === 'waiting';
    const attributes = syncAttributes(progress, subject, endReason ?? firstProblem);
    this.#status.attributes(attributes, isHeld && progress.uploading.length === 0);
  }
}
