import { QueryNotRegisteredError, ServiceError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { restartOutdated } from '../../../../src/cli/job/outdated.ts';

type RestartInput = Parameters<typeof restartOutdated>;

const JOBS = 100;
const AT_A_TIME = 8;

/** Calls `restartOutdated` for jobs that were attached to. Each query fails with `error`. */
async function check(error: Error) {
  let queries = 0;
  const query = async () => {
    queries++;
    await Promise.resolve();
    throw error;
  };
  const temporal = {
    withDeadline: (_deadline: number, call: () => Promise<unknown>) => call(),
    workflow: { getHandle: () => ({ query }) },
  } as unknown as Client;
  const handle = { workflowId: 'w', resumed: true, describe: async () => ({ status: 'RUNNING' }) };
  const jobs = Array.from({ length: JOBS }, () => ({ handle, prepared: { kind: 'upload' } }));
  const context = { config: {}, note: () => {} } as unknown as RestartInput[0];
  const backend = { client: { temporal, taskQueue: 'q' } } as unknown as RestartInput[1];
  const restarted = restartOutdated(context, backend, jobs as unknown as RestartInput[2], 'default');
  const outcome = await restarted.catch(() => 'restarts');
  return { outcome, queries };
}

function serviceError(code: number): ServiceError {
  const cause = Object.assign(new Error('no response'), { code, details: 'no response', metadata: {} });
  return new ServiceError('Failed to query Workflow', { cause });
}

describe('a check for jobs of another version', () => {
  it('stops after the first query without a response, so that a command is not silent for minutes', async () => {
    const { outcome, queries } = await check(serviceError(4));
    expect(outcome).toBe(false);
    expect(queries).toBeLessThanOrEqual(AT_A_TIME);
  });

  it('checks all jobs if workers respond', async () => {
    const { outcome, queries } = await check(new QueryNotRegisteredError('no query', 3));
    expect(outcome).toBe('restarts');
    expect(queries).toBe(JOBS);
  });
});
