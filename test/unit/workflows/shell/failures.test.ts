import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { toApplicationFailure } from '../../../../activities/failures.ts';
import { ApiError } from '../../../../src/errors.ts';
import { repairable } from '../../../../workflows/shell/failures.ts';

const PAUSE_MS = 120_000;

it('the pause that a service requests does not depend on the clock of the worker', () => {
  const cause = toApplicationFailure(new ApiError('m', { status: 429, retryAfterMs: PAUSE_MS }), { attempt: 1 });
  const { details } = cause as ApplicationFailure;
  // The clock of the worker is a day late: its time is over.
  const late = ApplicationFailure.create({
    message: 'm',
    type: 'ApiUnavailable',
    details: [{ ...(details?.[0] as object), retryAtMs: Date.now() - 24 * 3_600_000 }],
  });
  const failed = new ActivityFailure('m', 'uploadPart', '1', 'NON_RETRYABLE_FAILURE', 'worker', late);
  const nowMs = Date.now();
  const { retryAtMs = 0, reason } = repairable(failed) ?? {};
  expect(retryAtMs - nowMs).toBeGreaterThanOrEqual(PAUSE_MS);
  expect(retryAtMs - nowMs).toBeLessThan(PAUSE_MS + 5000);
  expect(reason).toContain(`pause until ${new Date(retryAtMs).toISOString().slice(0, 19)}Z`);
});
