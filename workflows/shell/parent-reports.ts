import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  workflowInfo,
} from '@temporalio/workflow';
import { MemoName, SignalName } from '../../src/contracts/names.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';

/** Report of an upload to the parent of its fleet. */
export interface Report {
  /** Number of the control that is in effect. Omitted if the report is only about waiting. */
  readonly control?: number;
  /** Null if the upload does not wait. */
  readonly waiting: WaitingInfo | null;
  /** Progress as the update of the control returns it. Omitted without a control. */
  readonly progress?: unknown;
}

export const reportSignal = defineSignal<[workflowId: string, report: Report]>(SignalName.report);

/**
 * Reports of an upload to the fleet that has started it. They are sent one after the other, because Temporal does not keep
 * the order of signals. Without a fleet, nothing is sent.
 */
export class ParentReports {
  readonly #parentId: string | undefined;
  readonly #unsent: Report[] = [];
  #isSending = false;
  /** Last reported state. A continued execution sets it in the first call. */
  #isWaiting: boolean | undefined;
  #waiting: WaitingInfo | null = null;

  constructor() {
    const { parent, memo, continuedFromExecutionRunId } = workflowInfo();
    this.#parentId = memo?.[MemoName.fleet] === true ? parent?.workflowId : undefined;
    this.#isWaiting = continuedFromExecutionRunId === undefined ? false : undefined;
  }

  /** Reports that the upload starts or stops waiting. */
  waits(waiting: WaitingInfo | null): void {
    this.#waiting = waiting;
    const isWaiting = waiting !== null;
    const hasChanged = this.#isWaiting !== undefined && this.#isWaiting !== isWaiting;
    this.#isWaiting = isWaiting;
    if (hasChanged) this.#send({ waiting });
  }

  /** Reports that a control is in effect. */
  applied(control: number, progress: unknown): void {
    this.#send({ control, waiting: this.#waiting, progress });
  }

  /** Resolves when the parent has all reports. */
  async settled(): Promise<void> {
    await condition(() => !this.#isSending);
  }

  #send(report: Report): void {
    if (this.#parentId === undefined) return;
    this.#unsent.push(report);
    if (!this.#isSending) void this.#sendAll(this.#parentId);
  }

  async #sendAll(parentId: string): Promise<void> {
    this.#isSending = true;
    for (;;) {
      const report = this.#unsent.shift();
      if (!report) break;
      const { workflowId } = workflowInfo();
      const send = () => getExternalWorkflowHandle(parentId).signal(reportSignal, workflowId, report);
      // A closed parent does not need the report. A separate scope, because that of a failed part can be cancelled.
      await CancellationScope.nonCancellable(send).catch(() => {});
    }
    this.#isSending = false;
  }
}
