import { ActivityFailure, ApplicationFailure, proxyActivities, type ActivityInterfaceFor } from '@temporalio/workflow';
import type {
  FindPieceResult,
  PieceActivities,
  PlanSplitResult,
  SteerPieceInput,
  TransferActivities,
} from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { Defaults, Limits } from '../../src/contracts/limits.ts';
import type { SplitUploadRequest } from '../../src/contracts/split.ts';
import type { UploadProgress } from '../../src/contracts/upload.ts';
import type { AttributeSubject } from '../../src/core/show/attributes.ts';
import { formatBytes } from '../../src/core/text/format.ts';
import { nameKey } from '../../src/core/text/name-form.ts';
import { filenameOfSource } from '../../src/core/source/names.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { activitiesOf, retry } from '../shell/activities.ts';

/** The activities of one split upload. Each call is one round of attempts. */
export class SplitCalls {
  readonly subject: AttributeSubject;
  readonly #request: SplitUploadRequest;
  readonly #transfer: ActivityInterfaceFor<TransferActivities>;
  readonly #pieces: ActivityInterfaceFor<PieceActivities>;

  constructor(request: SplitUploadRequest) {
    this.#request = request;
    this.#transfer = activitiesOf(request).transfer;
    const { filename = filenameOfSource(request.source), purpose, destination = Defaults.destination } = request;
    this.subject = { filename: nameKey(filename), purpose, destination };
    this.#pieces = proxyActivities<PieceActivities>({
      // An earlier upload of a piece may take as long as its session lives, and wait for a person besides.
      startToCloseTimeout: '24h',
      heartbeatTimeout: request.heartbeatTimeoutMs ?? Defaults.heartbeatTimeoutMs,
      retry,
    });
  }

  /** @throws ApplicationFailure for a source that can't be split, or that this upload is not meant for */
  async plan(): Promise<PlanSplitResult> {
    const { source, pieceSizeBytes = Limits.maxFileBytes, expectedFingerprint } = this.#request;
    const summary = `${summaryCode(this.subject.filename)} · pieces of ${formatBytes(pieceSizeBytes)} at most`;
    const plan = await this.#transfer.planSplit
      .executeWithOptions({ summary }, [{ source, pieceSizeBytes }])
      .catch((error: unknown) => {
        // Nothing was begun yet: a wrong path is better told now than after a day of waiting.
        const cause = error instanceof ActivityFailure ? error.cause : undefined;
        throw cause instanceof ApplicationFailure && cause.type === FailureType.SourceMissing ? cause : error;
      });
    if (expectedFingerprint !== undefined && plan.fingerprint !== expectedFingerprint) {
      const message = `${this.subject.filename} is not the file that this upload was asked for: it changed before the upload began`;
      throw ApplicationFailure.nonRetryable(message, FailureType.SourceChanged);
    }
    return plan;
  }

  find(workflowId: string, identity: string): Promise<FindPieceResult> {
    return this.#pieces.findPiece.executeWithOptions({ summary: summaryCode(workflowId) }, [{ workflowId, identity }]);
  }

  steer(input: SteerPieceInput): Promise<UploadProgress | null> {
    const summary = `${input.update} ${summaryCode(input.workflowId)}`;
    return this.#pieces.steerPiece.executeWithOptions({ summary, startToCloseTimeout: '31m' }, [input]);
  }
}
