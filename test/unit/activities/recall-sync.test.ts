import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { recallSync } from '../../../activities/recall-sync.ts';
import { FailureType } from '../../../src/contracts/failures.ts';

// Without a deadline, the client retries for more than 15 s.
it('the memory of the last run fails in time if Temporal does not respond', { timeout: 8000 }, async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  const info = { startToCloseTimeoutMs: 400, heartbeatTimeoutMs: 10_000 };
  const environment = new MockActivityEnvironment(info, { client: new Client({ connection }) });
  const failure = await environment
    .run(recallSync, { workflowId: 'nightly', scheduleId: null })
    .catch((error: unknown) => error);
  await connection.close();
  expect(failure).toMatchObject({
    type: FailureType.MemoryUnavailable,
    message: expect.stringMatching(/^cannot read the memory of the last run: /),
    nonRetryable: false,
  });
});
