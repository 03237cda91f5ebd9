import { LonghaulError } from '../errors.ts';

/** A workflow answers in a form that is not one of Longhaul's: another program started or runs it. */
export class StrangeWorkflowError extends LonghaulError {
  readonly code = 'STRANGE_WORKFLOW';
  readonly retryable = false;
  readonly workflowId: string;

  constructor(workflowId: string, cause?: unknown) {
    super(
      `${workflowId} does not answer as Longhaul's workflows do. ` +
        'Check in Temporal UI which program started it and which workers run it.',
      { cause },
    );
    this.workflowId = workflowId;
  }
}
