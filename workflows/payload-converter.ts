import { ApplicationFailure, defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import { decode } from '@temporalio/common/lib/encoding.js';
import { FailureType } from '../src/contracts/failures.ts';
import { payloadProblem, Unreadable } from '../src/core/payload.ts';

/**
 * Converts payloads. If a payload of a caller is invalid, the workflow reports it, because an error here would stop the
 * workflow, and the caller would wait without a reason. The same applies to results and failures of activities, which any client can write. An input or a result
 * that is larger than Temporal accepts fails with a reason.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context) => {
    const payload = defaultPayloadConverter.toPayload(value, context);
    const problem = payloadProblem('an input or a result of the workflow', payload?.data?.length ?? 0);
    if (problem !== undefined) throw ApplicationFailure.nonRetryable(problem, FailureType.PayloadTooLarge);
    return payload;
  },
  fromPayload: (payload, context) => {
    try {
      return defaultPayloadConverter.fromPayload(payload, context);
    } catch {
      return new Unreadable(encodingOf(payload)) as never;
    }
  },
};

function encodingOf({ metadata }: Payload): string {
  const encoding = metadata?.['encoding'];
  return encoding ? decode(encoding) : '';
}
