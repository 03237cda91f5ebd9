import { shellWord } from '../core/text/shell-word.ts';

const CLOSED = ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT', 'CONTINUED_AS_NEW'];

/** Whether a workflow with this status can continue: `RUNNING`, and `PAUSED` by Temporal's own pause. */
export function isOpen(status: string): boolean {
  return !CLOSED.includes(status);
}

/** Status of Temporal's own pause, during which a workflow responds to no query and no update. */
export const PAUSED_STATUS = 'PAUSED';

export function pausedText(workflowId: string): string {
  return `${workflowId} is paused in Temporal, and does not respond. Run "temporal workflow unpause --workflow-id ${shellWord(workflowId)}".`;
}
