import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  condition,
  sleep,
  startChild,
  type ChildWorkflowHandle,
  type ChildWorkflowOptions,
} from '@temporalio/workflow';
import { MemoName, WorkflowName } from '../../src/contracts/names.ts';
import type { UploadRequest, UploadResult, WaitingInfo } from '../../src/contracts/upload.ts';
import { reportedWait } from '../../src/core/shape/carried.ts';
import { commandBytes } from '../../src/core/payload.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { controlSignal, type Control } from '../shell/define-workflow.ts';
import type { Report } from '../shell/parent-reports.ts';
import { checkedUpload } from '../shell/results.ts';
import type { Load } from './fleet.ts';

/** A cancelled upload of an earlier run first cancels its session. */
const BUSY_TRIES = 30;
const BUSY_PAUSE_MS = 2000;

/** As in the client. For this time, the workflow task of a killed worker delays the upload. */
const WORKFLOW_TASK_TIMEOUT_MS = 5000;

type UploadFile = (request: UploadRequest) => Promise<UploadResult>;

/** One planned upload of a fleet. */
export interface ChildPlan {
  /** The same for the same bytes, so that they are not sent twice at the same time. */
  readonly workflowId: string;
  /** Path of its file, or name of its piece. */
  readonly path: string;
  readonly request: () => UploadRequest;
  readonly options: () => Pick<
    ChildWorkflowOptions,
    'memo' | 'staticSummary' | 'typedSearchAttributes' | 'workflowIdReusePolicy'
  >;
  readonly isPaused: () => boolean;
  /** Called before each attempt to start it. */
  readonly onStart?: () => void;
  /** Returns the result of an upload with the same workflow ID that completed after the plan. @defaultValue none */
  readonly findReceipt?: () => Promise<UploadResult | undefined>;
  readonly onResult: (result: UploadResult) => void;
  /** @param error WorkflowExecutionAlreadyStartedError if an upload of an earlier run does not close */
  readonly onFailure: (error: unknown) => void;
}

/** One upload of a fleet: a child workflow `uploadFile`, which is controlled by signals. */
export class ChildUpload implements Load {
  readonly workflowId: string;
  readonly commandBytes: number;
  readonly #plan: ChildPlan;
  #isStarting = false;
  #handle: ChildWorkflowHandle<UploadFile> | undefined;
  #controls = 0;
  /** Numbers of the controls that are not in effect yet. */
  readonly #awaited = new Set<number>();
  #sent = Promise.resolve();
  #waiting: WaitingInfo | undefined;
  /** As the upload reported it after the last control. */
  progress: unknown;

  constructor(plan: ChildPlan) {
    this.#plan = plan;
    this.workflowId = plan.workflowId;
    this.commandBytes = commandBytes(plan.request(), plan.workflowId);
  }

  get paths(): readonly string[] {
    const { path, isPaused } = this.#plan;
    return isPaused() && this.#awaited.size === 0 ? [] : [path];
  }

  get waiting(): WaitingInfo | undefined {
    return this.#waiting;
  }

  async run(): Promise<void> {
    const { onResult, onFailure } = this.#plan;
    let result: UploadResult;
    try {
      result = await this.#upload();
    } catch (error) {
      onFailure(error);
      return;
    }
    onResult(result);
  }

  /** Passes the control on after earlier controls. Stores it while the child starts. */
  async apply(control: Control): Promise<void> {
    await condition(() => !this.#isStarting);
    const handle = this.#handle;
    // Before the start, only the request and the pause of the fleet apply.
    if (!handle) return;
    const number = ++this.#controls;
    this.#awaited.add(number);
    // Temporal does not keep the order of signals that are sent at the same time.
    this.#sent = this.#sent
      .then(() => handle.signal(controlSignal, control, number))
      .catch(() => {
        // The child has closed.
        this.#awaited.delete(number);
      });
    await condition(() => !this.#awaited.has(number));
  }

  reported({ control, waiting, progress }: Report): void {
    this.#waiting = reportedWait(waiting);
    if (typeof control !== 'number') return;
    this.#awaited.delete(control);
    this.progress = progress;
  }

  async #upload(): Promise<UploadResult> {
    const { path, isPaused, onStart, findReceipt } = this.#plan;
    for (let tries = 1; ; tries++) {
      // A pause can follow a resume in the same workflow task, before this continues.
      while (isPaused()) await condition(() => !isPaused());
      onStart?.();
      try {
        const handle = await this.#start();
        return checkedUpload(await handle.result());
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError) || tries === BUSY_TRIES) throw error;
      }
      await sleep(BUSY_PAUSE_MS, { summary: `${summaryCode(path)}: waiting for an earlier upload to close` });
      const receipt = await findReceipt?.();
      if (receipt) return receipt;
    }
  }

  async #start(): Promise<ChildWorkflowHandle<UploadFile>> {
    const { workflowId, request, options } = this.#plan;
    const { memo, ...rest } = options();
    this.#isStarting = true;
    try {
      this.#handle = await startChild<UploadFile>(WorkflowName.uploadFile, {
        ...rest,
        workflowId,
        args: [request()],
        memo: { ...memo, [MemoName.fleet]: true },
        // The child cancels its session, and the parent closes after it.
        parentClosePolicy: 'REQUEST_CANCEL',
        cancellationType: 'WAIT_CANCELLATION_COMPLETED',
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      });
      return this.#handle;
    } finally {
      this.#isStarting = false;
    }
  }
}
