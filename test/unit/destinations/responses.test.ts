import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileAnswer, fileListAnswer } from '../../../src/destinations/responses.ts';

const any = fc.oneof(
  fc.constantFrom(undefined, null, true, '', -1, 0, 1.5, 1_790_000_000, 5_000_000_000_000, NaN, 2 ** 60, {}, []),
  fc.constantFrom('file-1', 'a/b', '..', 'a b', 'é', 'x'.repeat(201), 'y'.repeat(513), 'z'.repeat(4097)),
);
const usual = <Value>(value: Value) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: any });
const listed = fc.record({
  id: usual('file-Abc_123'),
  bytes: usual(10),
  created_at: usual(1_790_000_000),
  expires_at: usual(undefined),
  filename: usual('a.jsonl'),
  purpose: usual('batch'),
  status: usual('processed'),
});

describe('the files list', () => {
  it('has the rows that the schema of a File accepts', () =>
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: listed }, any)), (data) => {
        const { files, unreadable } = fileListAnswer.parse({ data });
        const expected = data.flatMap((one) => fileAnswer.safeParse(one).data ?? []);
        expect(files).toEqual(expected);
        expect(unreadable).toHaveLength(data.length - expected.length);
      }),
      { numRuns: 500 },
    ));
});
