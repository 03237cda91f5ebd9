import { ServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { isTemporalAway } from '../../../src/temporal/temporal-fault.ts';
import { fromTemporal, isUnanswered, noWorkerAnswered } from '../../../src/client/temporal-faults.ts';

function serviceError(code: number, details: string): ServiceError {
  const cause = Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
  return new ServiceError('Failed to query Workflow', { cause });
}

describe('a call about a workflow whose task fails', () => {
  const query = serviceError(9, 'Unable to query workflow due to Workflow Task in failed state.');
  const update = serviceError(9, 'Unable to perform workflow execution update due to unexpected workflow task failure');

  it('is described as a failed task, and not as a missing worker', () => {
    const expected = {
      code: 'NO_WORKER',
      message: expect.stringMatching(/^workers cannot continue w, because .* fails/),
    };
    expect(noWorkerAnswered('w', query)).toMatchObject(expected);
    expect(fromTemporal(update, 'w')).toMatchObject(expected);
  });

  it('is described as closed if the workflow closes before an update is in effect', () => {
    const cause = new Error('Workflow Update failed because the Workflow completed before the Update completed.');
    const failed = new WorkflowUpdateFailedError('Workflow Update failed', cause);
    expect(fromTemporal(failed, 'w')).toMatchObject({ message: 'w closed before the change was in effect' });
  });
});

describe('the message of an error of the connection', () => {
  it.each([
    [
      14,
      'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ',
      'Temporal did not respond: connect ECONNREFUSED 127.0.0.1:1 (UNAVAILABLE). ',
    ],
    [
      4,
      'Deadline exceeded after 0.001s,waiting for metadata filters',
      'Temporal did not respond in time: DEADLINE_EXCEEDED. ',
    ],
    [14, 'connection refused', 'Temporal did not respond: connection refused (UNAVAILABLE). '],
  ])('has the cause without other texts of the client library (%i %s)', (code, details, message) => {
    expect((fromTemporal(serviceError(code, details), 'w') as Error).message).toContain(message);
  });
});

describe('a message about a job', () => {
  it('is one line if the ID or the cause has line breaks', () => {
    const failed = new WorkflowUpdateFailedError('Workflow Update failed', new Error('a\r\n  b'));
    for (const error of [failed, new WorkflowNotFoundError('not found', 'w\nx', undefined)])
      expect((fromTemporal(error, 'w\nx') as Error).message).toMatch(/^.+$/);
  });
});

describe('a query without a response', () => {
  it('is recognised if the server is unavailable or has seen no worker recently', () => {
    const noPoller = serviceError(9, 'no poller seen for task queue recently, worker may be down');
    expect(isUnanswered(noPoller)).toBe(true);
    expect(isTemporalAway(noPoller)).toBe(false);
    expect(isUnanswered(serviceError(14, 'connection refused'))).toBe(true);
  });

  it('is not confused with a rejected query', () => {
    expect(isUnanswered(serviceError(7, 'permission denied'))).toBe(false);
    expect(isUnanswered(new Error('a defect'))).toBe(false);
  });
});
