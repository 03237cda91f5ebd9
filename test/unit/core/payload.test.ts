import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sliceOf } from '../../../activities/plan-sync.ts';
import type { SyncScope } from '../../../src/contracts/plan-sync.ts';
import { PayloadLimits, TextLimits } from '../../../src/contracts/limits.ts';
import type { RememberedFile, SyncMemory } from '../../../src/contracts/sync.ts';
import {
  packInput,
  commandBytes,
  inputProblem,
  jsonBytes,
  mostInFlight,
  partIdsProblem,
  takeWithin,
} from '../../../src/core/payload.ts';
import { comparePaths } from '../../../src/core/sync/listed-source.ts';
import { SyncTally } from '../../../src/core/sync/tally.ts';
import { anyText } from '../../support/mutated.ts';
import { syncRequestProblems } from '../../../src/contracts/requests/problems.ts';

/** What Temporal stores, by Node.js. */
const stored = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** Texts whose JSON has one to six bytes a character, up to the longest path of Linux. */
const text = fc
  .tuple(fc.constantFrom('a', 'é', '架', '😀', '\u0001', '"', '\\', '\ud800'), fc.integer({ min: 1, max: 4096 }))
  .map(([character, bytes]) => character.repeat(Math.ceil(bytes / Buffer.byteLength(character))));
const texts = fc.array(text, { minLength: 1, maxLength: 400 });
const scope: SyncScope = {
  source: { type: 'folder', path: '/data', host: 'here' },
  destination: 'default',
  purpose: 'batch',
  prefix: '',
  include: [],
  exclude: [],
};
const fullMemory: SyncMemory = {
  format: 'gzip-rows-1',
  entries: 1,
  dropped: 0,
  data: 'A'.repeat(PayloadLimits.memory),
};
const few = { numRuns: 25 };

describe('the sizes of data in Temporal', () => {
  it('are counted as the bytes of JSON in UTF-8, including escapes', () => {
    fc.assert(
      fc.property(fc.anything({ values: [anyText] }), (value) => {
        expect(jsonBytes([value])).toBe(stored([value]));
      }),
    );
    expect(jsonBytes(undefined)).toBe(0);
  });

  it('of a partial list are at most the limit, and no further item fits', () => {
    fc.assert(
      fc.property(texts, (items) => {
        const { taken, bytes } = takeWithin(items, { bytes: PayloadLimits.report });
        expect(stored(taken)).toBeLessThanOrEqual(PayloadLimits.report + 2);
        const next = items[taken.length];
        const withNext = next === undefined ? Infinity : bytes + stored(next) + 1;
        expect(withNext).toBeGreaterThan(PayloadLimits.report);
      }),
      few,
    );
  });

  it('of batches are at most the limit, and the batches contain each item once', () => {
    fc.assert(
      fc.property(texts, (paths) => {
        const sorted = [...new Set(paths)].map((path) => ({ path, filename: path })).toSorted(byPath);
        const seen: string[] = [];
        for (let after: string | null = null; ;) {
          const { batch, next }: ReturnType<typeof sliceOf<{ readonly path: string }>> = sliceOf(sorted, after, 200);
          expect(stored(batch)).toBeLessThanOrEqual(PayloadLimits.batch + 2);
          seen.push(...batch.map(({ path }) => path));
          if (next === null) break;
          after = next;
        }
        expect(seen).toEqual(sorted.map(({ path }) => path));
      }),
      few,
    );
  });

  it('of the inputs of packing are at most the limit, and no result is lost', () => {
    fc.assert(
      fc.property(texts, texts, (adds, remove) => {
        const add = adds.map((path): RememberedFile => ({ path, sizeBytes: 1, version: path, fileId: 'f', md5: null }));
        const [added, removed]: [RememberedFile[], string[]] = [[], []];
        let rest: { readonly add: readonly RememberedFile[]; readonly remove: readonly string[] } = { add, remove };
        for (;;) {
          const { input, ...left } = packInput(scope, fullMemory, rest);
          expect(stored(input)).toBeLessThanOrEqual(PayloadLimits.payload);
          // Nothing is added while paths are left to remove.
          expect(Math.min(input.add.length, left.remove.length)).toBe(0);
          added.push(...input.add);
          removed.push(...input.remove);
          rest = left;
          if (left.add.length + left.remove.length === 0) break;
        }
        expect([added, removed]).toEqual([add, remove]);
      }),
      few,
    );
  });

  it('of the reports of a sync leave space for the memory and the decisions in its result', () => {
    fc.assert(
      fc.property(texts, (paths) => {
        const tally = new SyncTally();
        for (const path of paths) {
          const problem = { path, failureType: 'SourceMissing', message: path.slice(0, 2000) };
          tally.failed(problem);
          tally.leftOut(problem);
          tally.postponed(problem);
        }
        const { counts, ...reports } = tally.toJSON();
        expect(counts).toMatchObject({ failed: paths.length, leftOut: paths.length, postponed: paths.length });
        const rest = PayloadLimits.payload - PayloadLimits.memory - PayloadLimits.decisions;
        expect(stored(reports)).toBeLessThan(rest);
      }),
      few,
    );
  });

  it('of the IDs of all parts are checked at the first part', () => {
    expect(partIdsProblem(8192, `part_${'x'.repeat(170)}`)).toBeUndefined();
    expect(partIdsProblem(8192, 'x'.repeat(200))).toMatch(/IDs of 8192 parts .* Use a larger part size$/);
    expect(partIdsProblem(128, 'x'.repeat(512))).toBeUndefined();
  });

  it('of all arguments of a call are below the limit of the server in total', () => {
    const { request, memory, report, partIds, inFlight, payload } = PayloadLimits;
    // Request, memory, three lists of problems, and globs that match nothing.
    expect(request + memory + 4 * report).toBeLessThan(2 * 1024 * 1024);
    // The longest requestTexts of a request of an upload, six bytes a character, twice for `within`.
    const { path, url, sealedQuery, fingerprint, filename, name, taskQueue } = TextLimits;
    const requestTexts = 6 * (2 * path + url + sealedQuery + fingerprint + 2 * filename + 8 * name + taskQueue);
    expect(requestTexts).toBeLessThan(400_000);
    expect(partIds + 400_000).toBeLessThan(2 * 1024 * 1024);
    // All that is in flight and one other command, in one message.
    expect(inFlight + payload).toBeLessThan(4 * 1024 * 1024 - 400_000);
  });

  it('of commands in flight permit at least one command, and all usual commands', () => {
    expect(mostInFlight(commandBytes({ path: '/data/a.jsonl' }))).toBeGreaterThan(256);
    expect(mostInFlight(10_000_000)).toBe(1);
  });

  it('of a request with its globs are limited', () => {
    const request = { source: scope.source, purpose: 'batch' };
    const most = Array.from({ length: 20 }, () => '\u0001'.repeat(1000));
    expect(syncRequestProblems({ ...request, include: most, exclude: most })).toEqual([]);
    expect(inputProblem('a sync request', { ...request, include: most, exclude: most })).toBeUndefined();
    expect(syncRequestProblems({ ...request, include: [...most, 'a'] })).toHaveLength(1);
    expect(inputProblem('a sync request', { ...request, include: ['\u0001'.repeat(60_000)] })).toBe(
      'a sync request must have at most 262144 bytes as JSON',
    );
  });
});

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return comparePaths(a.path, b.path);
}
