import { expect, it } from 'vitest';
import { jobOf } from '../../../src/worker/nexus.ts';

const context = { requestId: 'r' };

it.each([
  [null, /^the input must be an object/],
  [[{ purpose: 'batch' }], /^the input must be an object/],
  [{ workflowId: 5 }, /^"workflowId" must be a non-empty string/],
  [{ workflowId: '' }, /^"workflowId" must be a non-empty string/],
  [{ workflowId: 'x'.repeat(901) }, /^"workflowId" must have at most 900 bytes/],
])('a Nexus operation with the input %j fails once, and is not retried', (input, message) => {
  expect(() => jobOf('uploadFile', context, input as never)).toThrow(
    expect.objectContaining({ type: 'BAD_REQUEST', retryable: false, message: expect.stringMatching(message) }),
  );
});

it('a Nexus operation uses the workflow ID of its caller, or a new one', () => {
  expect(jobOf('uploadFile', context, { workflowId: 'mine' }).workflowId).toBe('mine');
  expect(jobOf('uploadFile', context, {}).workflowId).toBe('longhaul-nexus-r');
});
