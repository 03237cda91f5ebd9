import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import { decode } from '@temporalio/common/lib/encoding.js';
import { Unreadable } from '../src/core/unreadable.ts';

/**
 * Reads and writes payloads as usual, but for what callers sent to a workflow and can't be read: an error there would
 * stop the workflow, and the caller would wait without a reason. What activities return is read as strictly as ever.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context) => defaultPayloadConverter.toPayload(value, context),
  fromPayload: (payload, context) => {
    try {
      return defaultPayloadConverter.fromPayload(payload, context);
    } catch (error) {
      if (context?.type !== 'workflow') throw error;
      return new Unreadable(encodingOf(payload)) as never;
    }
  },
};

function encodingOf({ metadata }: Payload): string {
  const encoding = metadata?.['encoding'];
  return encoding ? decode(encoding) : '';
}
