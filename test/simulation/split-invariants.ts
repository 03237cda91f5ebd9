import { FailureType, type PiecesFailedDetails } from '../../src/contracts/failures.ts';
import type { SplitUploadProgress, SplitUploadResult } from '../../src/contracts/split.ts';
import type { Execution } from './execution.ts';
import type { Close } from './execution-world.ts';
import { describeFailure, valueOf } from './payloads.ts';
import type { Plan } from './plan.ts';
import type { Service } from './service.ts';

/** What must hold for a split upload, in addition to the rules of its pieces. */
export class SplitInvariants {
  readonly #plan: Plan;
  readonly #service: Service;
  readonly #violation: (rule: string, text: string) => void;
  #completed = 0;

  constructor(plan: Plan, service: Service, violation: (rule: string, text: string) => void) {
    this.#plan = plan;
    this.#service = service;
    this.#violation = violation;
  }

  activated({ pieces }: SplitUploadProgress): void {
    const completed = pieces.filter(({ state }) => state === 'completed').length;
    if (completed < this.#completed) this.#violation('pieces stay completed', `${this.#completed} → ${completed}`);
    this.#completed = completed;
    const running = pieces.filter(({ state }) => state === 'uploading').length;
    if (running > 1) this.#violation('one piece is sent at a time', String(running));
  }

  /** @param pieces executions of the pieces */
  closed(close: Close, progress: SplitUploadProgress | undefined, pieces: readonly Execution[]): void {
    for (const piece of pieces) {
      if (piece.isOpen) this.#violation('no piece runs after the end of a split upload', piece.start.workflowId);
    }
    if (progress && progress.state !== close.status) {
      this.#violation('progress shows the end', `${progress.state} instead of ${close.status}`);
    }
    if (close.status === 'completed') this.#isWhole(valueOf(close.result) as SplitUploadResult);
    if (close.status !== 'failed') return;
    const info = close.failure.applicationFailureInfo;
    const text = describeFailure(close.failure);
    if (!info?.type) this.#violation('a failure has a type', text);
    if (info?.type !== FailureType.PiecesFailed) return;
    const details = valueOf(info.details?.payloads?.[0]) as PiecesFailedDetails | undefined;
    if (!details?.pieces) this.#violation('a split upload that fails names its pieces', text);
  }

  #isWhole({ files }: SplitUploadResult): void {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    if (bytes !== this.#plan.sizeBytes) this.#violation('a split upload has all bytes', String(bytes));
    const offsets = files.map(({ id }) =>
      Number.parseInt(this.#service.files.get(id)?.parts[0]?.content.split('+')[1] ?? '', 10),
    );
    const isOrdered = offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? 0));
    if (!isOrdered) this.#violation('the Files of a split upload are in the order of the source', offsets.join());
  }
}
