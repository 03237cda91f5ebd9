import { WithStartWorkflowOperation } from '@temporalio/client';
import type { ReserveResult } from '../../src/contracts/request-budget.ts';
import type { System } from './system.ts';

export const budgetId = ({ taskQueue }: System): string => `longhaul-requests-${taskQueue}-default`;

/** Asks the budget of the default destination as a worker does, and starts it when it doesn't run. */
export async function reserveTurns(system: System, count: number, perMinute: number): Promise<readonly number[]> {
  const { taskQueue, client } = system;
  const startWorkflowOperation = new WithStartWorkflowOperation('requestBudget', {
    workflowId: budgetId(system),
    taskQueue,
    args: [],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const { waitsMs } = await client.client.workflow.executeUpdateWithStart<() => Promise<void>, ReserveResult, [object]>(
    'reserve',
    { args: [{ count, perMinute }], startWorkflowOperation },
  );
  return waitsMs;
}
