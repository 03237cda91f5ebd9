import { Client, WithStartWorkflowOperation } from '@temporalio/client';
import { Runtime, type NativeConnection } from '@temporalio/worker';
import { UpdateName, WorkflowName } from '../contracts/names.ts';
import type { ReserveInput, ReserveResult } from '../contracts/request-budget.ts';
import { summaryCode } from '../core/text/markdown.ts';
import { RequestPermits } from './request-permits.ts';

export interface SharedBudgetOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** The control queue; the workers of one control queue share their budgets. */
  readonly taskQueue: string;
}

/** Longer than a worker needs that has much to do, and shorter than anybody wants to wait for leave to ask. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Permits out of the one budget that all workers of a control queue share for a destination: a workflow keeps it. */
export function sharedBudget(
  { connection, namespace, taskQueue }: SharedBudgetOptions,
  destination: string,
  perMinute: number,
): RequestPermits {
  const client = new Client({ connection, namespace });
  const workflowId = `longhaul-requests-${taskQueue}-${destination}`;
  const reserve = async (count: number): Promise<readonly number[]> => {
    const startWorkflowOperation = new WithStartWorkflowOperation(WorkflowName.requestBudget, {
      workflowId,
      taskQueue,
      args: [],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `requests to ${summaryCode(`${destination}/files`)}`,
      priority: { priorityKey: 1 },
    });
    const input: ReserveInput = { count, perMinute };
    const { waitsMs } = await client.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, () =>
      client.workflow.executeUpdateWithStart<() => Promise<void>, ReserveResult, [ReserveInput]>(UpdateName.reserve, {
        args: [input],
        startWorkflowOperation,
      }),
    );
    return waitsMs;
  };
  return new RequestPermits({
    reserve,
    onFault: (error) =>
      Runtime.instance().logger.warn(`requests to ${destination}/files go without a limit for a while`, { error }),
  });
}
