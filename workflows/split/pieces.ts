import { ApplicationFailure, log } from '@temporalio/workflow';
import type { PlanSplitResult } from '../../src/contracts/activities.ts';
import { FailureType, type PiecesFailedDetails } from '../../src/contracts/failures.ts';
import { PayloadLimits, type DestinationLimits } from '../../src/contracts/limits.ts';
import type { PieceProgress, SplitUploadProgress, SplitUploadResult } from '../../src/contracts/split.ts';
import type { UploadResult } from '../../src/contracts/upload.ts';
import { endsAllPieces, splitFailure } from '../../src/core/split/failure.ts';
import { pieceName, pieceWorkflowId } from '../../src/core/split/pieces.ts';
import { pieceMessageLength, resultBytes } from '../../src/core/split/progress.ts';
import { clip } from '../../src/core/text/clip.ts';
import { formatBytes } from '../../src/core/text/format.ts';
import { partSizeWithin, planParts } from '../../src/core/upload/plan.ts';
import { describeUploadEnd } from '../fleet/upload-end.ts';

type Totals = Pick<
  SplitUploadProgress,
  'bytesDone' | 'partSizeBytes' | 'partsTotal' | 'partsDone' | 'sessionsOpened' | 'orphanedSessions' | 'pieces'
>;

/** The pieces of a split upload with their results. */
export class Pieces {
  readonly #receipts = new Map<number, UploadResult>();
  readonly #limits: DestinationLimits;
  #list: PieceProgress[] = [];
  #endsAll = false;

  /** @throws ApplicationFailure before any byte is sent if the result could not contain all names */
  constructor(workflowId: string, filename: string, { pieces, limits }: Pick<PlanSplitResult, 'pieces' | 'limits'>) {
    this.#limits = limits;
    const count = pieces.length;
    this.#list = pieces.map(({ offsetBytes, sizeBytes }, index) => ({
      number: index + 1,
      filename: pieceName(filename, index + 1, count),
      workflowId: pieceWorkflowId(workflowId, index + 1, count),
      range: { offsetBytes, sizeBytes },
      state: 'pending',
    }));
    const bytes = resultBytes(this.#list);
    if (bytes <= PayloadLimits.pieces) return;
    const sizes = `about ${formatBytes(bytes)}, and the limit is ${formatBytes(PayloadLimits.pieces)}`;
    const message = `the names of ${count} Files do not fit into one result (${sizes}). Use a shorter name or larger pieces`;
    throw ApplicationFailure.nonRetryable(message, FailureType.PayloadTooLarge);
  }

  get list(): readonly PieceProgress[] {
    return this.#list;
  }

  get areComplete(): boolean {
    return this.#receipts.size === this.#list.length;
  }

  /** A failure of one piece that the other pieces would also have. */
  get endsAll(): boolean {
    return this.#endsAll;
  }

  totals(partSizeBytes: number | undefined): Totals {
    const receipts = [...this.#receipts.values()];
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    const parts = this.#list.map(({ range: { sizeBytes } }) =>
      planParts(sizeBytes, partSizeWithin(this.#limits, sizeBytes, partSizeBytes)),
    );
    return {
      bytesDone: sum(receipts.map(({ bytes }) => bytes)),
      partSizeBytes: parts[0]?.partSizeBytes ?? 0,
      partsTotal: sum(parts.map((plan, index) => this.#receipts.get(index + 1)?.parts ?? plan.partCount)),
      partsDone: sum(receipts.map((receipt) => receipt.parts)),
      sessionsOpened: sum(receipts.map(({ sessions }) => sessions)),
      orphanedSessions: sum(receipts.map(({ orphanedSessions }) => orphanedSessions ?? 0)),
      pieces: this.#list,
    };
  }

  started(number: number): void {
    this.#change(number, { state: 'uploading' });
  }

  completed(number: number, result: UploadResult): void {
    const { receipt: _, ...rest } = result;
    this.#receipts.set(number, rest);
    this.#change(number, { state: 'completed', fileId: result.file.id });
  }

  failed(number: number, error: unknown): void {
    const failure = describeUploadEnd(error);
    const { failureType } = failure;
    const message = clip(failure.message, pieceMessageLength(this.#list.length));
    log.warn('a piece failed', { number, failureType, message });
    this.#change(number, { state: 'failed', failureType, message });
    this.#endsAll ||= endsAllPieces(failure);
  }

  /** @throws ApplicationFailure that lists the pieces, if some have no File */
  outcome(): Pick<SplitUploadResult, 'files' | 'pieces'> {
    const receipts = this.#list.flatMap(({ number }) => this.#receipts.get(number) ?? []);
    if (receipts.length === this.#list.length) return { files: receipts.map(({ file }) => file), pieces: receipts };
    const { type, message } = splitFailure(this.#list);
    const details: PiecesFailedDetails = { pieces: this.#list };
    throw ApplicationFailure.create({ message, type, nonRetryable: true, details: [details] });
  }

  #change(number: number, change: Partial<PieceProgress>): void {
    this.#list = this.#list.with(number - 1, { ...(this.#list[number - 1] as PieceProgress), ...change });
  }
}
