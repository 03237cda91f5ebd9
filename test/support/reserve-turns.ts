import { WithStartWorkflowOperation } from '@temporalio/client';
import type { ReserveResult } from '../../src/contracts/request-rate.ts';
import type { System } from './system.ts';

export const requestRateId = ({ taskQueue }: System): string => `longhaul-requests-${taskQueue}-default`;

/** Reserves requests of the default destination like a worker, and starts the workflow if it does not run. */
export async function reserveTurns(system: System, count: number, perMinute: number): Promise<readonly number[]> {
  const { taskQueue, client } = system;
  const startWorkflowOperation = new WithStartWorkflowOperation('requestRate', {
    workflowId: requestRateId(system),
    taskQueue,
    args: [],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const { waitsMs } = await client.temporal.workflow.executeUpdateWithStart<
    () => Promise<void>,
    ReserveResult,
    [object]
  >('reserve', { args: [{ count, perMinute }], startWorkflowOperation });
  return waitsMs;
}
