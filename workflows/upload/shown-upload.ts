import type { JobSubject } from '../../src/contracts/failures.ts';
import type { UploadProgress } from '../../src/contracts/upload.ts';
import { uploadAttributes } from '../../src/core/show/attributes.ts';
import { describeProgress } from '../../src/core/show/describe-progress.ts';
import { Pace } from '../shell/pace.ts';
import { Status } from '../shell/status.ts';

interface ShownContext {
  /** Undefined until the request was checked. */
  readonly subject: JobSubject | undefined;
  readonly partsSent: number;
  /** Of a source that is one part, unless the size of its parts was retuned. */
  readonly isSmall: boolean;
  /** Once it is completed. */
  readonly fileId?: string;
  /** Once it has failed. */
  readonly reason?: string | undefined;
}

/** What Temporal UI shows of an upload: the details of its page, and its search attributes. */
export class ShownUpload {
  readonly #status = new Status();
  readonly #pace = new Pace();
  /** Whether the attributes say that the upload is held up. */
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

/** Of one part, each of whose steps takes a moment: search attributes that tell of all would cost it half as much again. */
function isBrief({ state, bytesDone, partsTotal }: UploadProgress): boolean {
  if (partsTotal > 1) return false;
  return state === 'creating' || state === 'completing' || (state === 'uploading' && bytesDone > 0);
}
