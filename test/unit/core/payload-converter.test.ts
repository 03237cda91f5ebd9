import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { PayloadLimits } from '../../../src/contracts/limits.ts';
import { Unreadable } from '../../../src/core/payload.ts';
import { payloadConverter } from '../../../workflows/payload-converter.ts';

describe('the payload converter of workflows', () => {
  it('rejects a value of more bytes than a payload, although it has fewer characters', () => {
    const value = '架'.repeat(PayloadLimits.payload / 2);
    expect(() => payloadConverter.toPayload(value)).toThrow(ApplicationFailure);
    expect(() => payloadConverter.toPayload(value)).toThrow(/3000002 bytes.*Use shorter names/);
  });

  it('reads a value of another client that is not JSON as unreadable', () => {
    const payload = {
      metadata: { encoding: new TextEncoder().encode('json/plain') },
      data: new TextEncoder().encode('{'),
    };
    const context = { type: 'activity', namespace: 'default', isLocal: false } as const;
    expect(payloadConverter.fromPayload(payload, context)).toBeInstanceOf(Unreadable);
  });

  it('writes a value that fits, and nothing for undefined', () => {
    expect(payloadConverter.toPayload('a'.repeat(PayloadLimits.payload - 2))?.data).toHaveLength(PayloadLimits.payload);
    expect(payloadConverter.toPayload(undefined)?.data ?? []).toHaveLength(0);
  });
});
