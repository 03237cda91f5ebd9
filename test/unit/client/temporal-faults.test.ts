import { ServiceError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { isTemporalAway } from '../../../src/temporal/temporal-fault.ts';
import { isUnanswered } from '../../../src/client/temporal-faults.ts';

function serviceError(code: number, details: string): ServiceError {
  const cause = Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
  return new ServiceError('Failed to query Workflow', { cause });
}

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
