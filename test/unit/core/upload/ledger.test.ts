import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartLedger } from '../../../../src/core/upload/ledger.ts';
import { partRange, planParts } from '../../../../src/core/upload/plan.ts';

const plan = planParts(10, 3);

type Step = 'take' | { readonly settle: 'record' | 'giveBack'; readonly which: number };

const steps = fc.array(
  fc.oneof(
    fc.constant<Step>('take'),
    fc.record({ settle: fc.constantFrom('record' as const, 'giveBack' as const), which: fc.nat() }),
  ),
  { maxLength: 200 },
);

/** Part ids as a continued workflow hands them over. */
const handedOver = (partCount: number) =>
  fc
    .array(fc.boolean(), { minLength: partCount, maxLength: partCount })
    .map((done) => done.map((isDone, index) => (isDone ? `old-${index + 1}` : null)));

const ledgerAndSteps = fc
  .tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20 }))
  .chain(([sizeBytes, partSizeBytes]) => {
    const drawn = planParts(sizeBytes, partSizeBytes);
    return fc.tuple(fc.constant(drawn), handedOver(drawn.partCount), steps);
  });

describe('the part ledger', () => {
  it('assigns the parts from the first to the last, and then none', () => {
    const ledger = new PartLedger(plan);
    expect([1, 2, 3, 4, 5].map(() => ledger.take())).toEqual([1, 2, 3, 4, undefined]);
    expect(ledger.hasNext).toBe(false);
    expect(ledger.out).toBe(4);
  });

  it('assigns a released part before all later parts', () => {
    const ledger = new PartLedger(plan);
    const taken = [ledger.take(), ledger.take(), ledger.take()];
    expect(taken).toEqual([1, 2, 3]);
    ledger.giveBack(3);
    ledger.giveBack(1);
    expect([ledger.take(), ledger.take(), ledger.take()]).toEqual([1, 3, 4]);
  });

  it('counts the bytes of recorded parts, with the actual size of the last part', () => {
    const ledger = new PartLedger(plan, [null, null, null, 'd']);
    expect([ledger.done, ledger.bytesDone]).toEqual([1, 1]);
    ledger.take();
    ledger.record(1, 'a');
    expect([ledger.done, ledger.bytesDone, ledger.out]).toEqual([2, 4, 0]);
  });

  it('returns the part IDs in the order of the file, for any order of recording', () => {
    const ledger = new PartLedger(plan);
    while (ledger.take() !== undefined);
    for (const partNumber of [3, 1, 4, 2]) ledger.record(partNumber, `id-${partNumber}`);
    expect(ledger.complete).toBe(true);
    expect(ledger.orderedPartIds()).toEqual(['id-1', 'id-2', 'id-3', 'id-4']);
  });

  it('returns no list of part IDs while a part is missing', () => {
    const ledger = new PartLedger(plan, ['a', null, 'c', 'd']);
    expect(ledger.complete).toBe(false);
    expect(() => ledger.orderedPartIds()).toThrow('part 2 has no ID yet');
  });

  it('returns a copy of its part IDs', () => {
    const ledger = new PartLedger(plan, ['a', null, null, null]);
    ledger.toJSON()[1] = 'forged';
    expect(ledger.toJSON()).toEqual(['a', null, null, null]);
  });

  it('never loses a part or assigns it twice, for any order of assignments, records and releases', () => {
    fc.assert(
      fc.property(ledgerAndSteps, ([drawn, partIds, sequence]) => {
        const ledger = new PartLedger(drawn, partIds);
        const out: number[] = [];
        const taken: unknown[] = [];
        const due: unknown[] = [];
        const recorded = new Map(partIds.flatMap((id, index) => (id === null ? [] : [[index + 1, id] as const])));
        for (const step of sequence) {
          if (step === 'take') {
            const lowest = range(drawn.partCount).find((part) => !recorded.has(part) && !out.includes(part));
            due.push([lowest !== undefined, lowest]);
            taken.push([ledger.hasNext, ledger.take()]);
            if (lowest !== undefined) out.push(lowest);
            continue;
          }
          const [part] = out.length === 0 ? [] : out.splice(step.which % out.length, 1);
          if (part === undefined) continue;
          if (step.settle === 'giveBack') {
            ledger.giveBack(part);
          } else {
            recorded.set(part, `new-${part}`);
            ledger.record(part, `new-${part}`);
          }
        }
        expect(taken).toEqual(due);
        const bytes = [...recorded.keys()].reduce((sum, part) => sum + partRange(drawn, part).sizeBytes, 0);
        expect([ledger.out, ledger.done, ledger.bytesDone]).toEqual([out.length, recorded.size, bytes]);
        expect(ledger.toJSON()).toEqual(range(drawn.partCount).map((part) => recorded.get(part) ?? null));
      }),
    );
  });

  it('continues from its JSON, and resends the parts in flight', () => {
    fc.assert(
      fc.property(ledgerAndSteps, ([drawn, partIds]) => {
        const before = new PartLedger(drawn, partIds);
        before.take();
        const after = new PartLedger(drawn, JSON.parse(JSON.stringify(before)) as (string | null)[]);
        expect(after.toJSON()).toEqual(before.toJSON());
        expect([after.done, after.bytesDone, after.out]).toEqual([before.done, before.bytesDone, 0]);
        const left: number[] = [];
        for (let part = after.take(); part !== undefined; part = after.take()) left.push(part);
        expect(left).toEqual(range(drawn.partCount).filter((part) => partIds[part - 1] === null));
      }),
    );
  });
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
