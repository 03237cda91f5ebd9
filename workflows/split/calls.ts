import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type {
  FindPieceResult,
  PieceActivities,
  PlanSplitResult,
  SteerPieceInput,
} from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import type { UploadProgress } from '../../src/contracts/upload.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { firstActivities, HEARTBEAT_TIMEOUT, retry } from '../shell/activities.ts';
import { firstName, type RawRequest } from '../shell/requests.ts';

/** The activities of one split upload. Each call is one round of attempts. */
export class SplitCalls {
  readonly #raw: RawRequest;
  readonly #pieces = proxyActivities<PieceActivities>({
    // An earlier upload of a piece may take as long as its session lives, and wait for a person besides.
    startToCloseTimeout: '24h',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry,
  });

  /** @param raw as a caller sent it: of it, only the first activity is made */
  constructor(raw: RawRequest) {
    this.#raw = raw;
  }

  /** @throws ApplicationFailure for a request or a source that cannot be used */
  async plan(): Promise<PlanSplitResult> {
    return firstActivities(this.#raw)
      .planSplit.executeWithOptions({ summary: summaryCode(firstName(this.#raw)) }, [{ request: this.#raw as never }])
      .catch((error: unknown) => {
        // Nothing was begun yet: a wrong path is better told now than after a day of waiting.
        const cause = error instanceof ActivityFailure ? error.cause : undefined;
        throw cause instanceof ApplicationFailure && cause.type === FailureType.SourceMissing ? cause : error;
      });
  }

  find(workflowId: string, identity: string): Promise<FindPieceResult> {
    return this.#pieces.findPiece.executeWithOptions({ summary: summaryCode(workflowId) }, [{ workflowId, identity }]);
  }

  steer(input: SteerPieceInput): Promise<UploadProgress | null> {
    const summary = `${input.update} ${summaryCode(input.workflowId)}`;
    return this.#pieces.steerPiece.executeWithOptions({ summary, startToCloseTimeout: '31m' }, [input]);
  }
}
