import type { JobSubject } from '../../src/contracts/failures.ts';
import type { UploadProgress } from '../../src/contracts/upload.ts';
import { uploadAttributes } from '../../src/core/show/attributes.ts';
import { describeProgress } from '../../src/core/show/describe-progress.ts';
import { Pace } from '../shell/pace.ts';
import { Status } from '../shell/status.ts';

interface ShownContext {
  /** Undefined until the request is checked. */
  readonly subject: JobSubject | undefined;
  readonly partsSent: number;
  /** Whether the source is one part, unless `retune` has changed the part size. */
  readonly isSmall: boolean;
  /** Set after its completion. */
  readonly fileId?: string;
  /** Set after its failure. */
  readonly reason?: string | undefined;
}

/** Sets the details of an upload in Temporal UI, and its search attributes. */
export class ShownUpload {
  readonly #status = new Status();
  readonly #pace = new Pace();
  /** Whether the search attributes show that the upload waits or is paused. */
  #isHeld = false;

  /** @param hasAttributes as the first activity returned it */
  use(hasAttributes: boolean | undefined): void {
    this.#status.use(hasAttributes);
  }

  show(progress: UploadProgress, { isSmall, partsSent, subject, ...end }: ShownContext): void {
    const context = { ...this.#pace.measure(progress.bytesDone), ...end, partsSent };
    this.#status.details(describeProgress(progress, context));
    if (isSmall && !this.#isHeld && isBrief(progress)) return;
    this.#isHeld = progress.state === 'paused' || progress.state === 'waiting';
    const attributes = uploadAttributes(progress, subject, end);
    this.#status.attributes(attributes, this.#isHeld && progress.partsInFlight === 0);
  }
}

/** Whether the upload is one part. Its steps are short, and search attributes for each would increase its cost by half. */
function isBrief({ state, bytesDone, partsTotal }: UploadProgress): boolean {
  if (partsTotal > 1) return false;
  return state === 'creating' || state === 'completing' || (state === 'uploading' && bytesDone > 0);
}
