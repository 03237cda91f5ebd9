import { describe, expect, it } from 'vitest';
import { SyncReads, type ReadOptions } from '../../../../activities/sync/reads.ts';
import type { HashSourceResult } from '../../../../src/contracts/activities.ts';

interface Source {
  readonly path: string;
}

const sources = (count: number): Source[] => Array.from({ length: count }, (_, index) => ({ path: `${index}` }));
const { signal } = new AbortController();

/** Reads that the test ends. */
function heldReads() {
  const held: {
    readonly path: string;
    readonly options: ReadOptions;
    readonly end: (end: HashSourceResult) => void;
  }[] = [];
  const read = ({ path }: Source, options: ReadOptions) =>
    new Promise<HashSourceResult>((end) => held.push({ path, options, end }));
  return { held, read };
}

describe('the reads of a sync', () => {
  it('read each source once, at most 500 per call', async () => {
    const reads = new SyncReads(sources(1200), async ({ path }) => ({ md5: `md5-${path}` }));
    const settled: string[] = [];
    const calls: number[] = [];
    while (reads.left > 0) {
      await reads.readOn({ signal }, ({ path }, outcome) => settled.push(`${path} ${JSON.stringify(outcome)}`));
      calls.push(reads.left);
    }
    expect(calls).toEqual([700, 200, 0]);
    expect(new Set(settled).size).toBe(1200);
    expect(settled[7]).toBe('7 {"md5":"md5-7"}');
  });

  it('run at most four at the same time', async () => {
    const { held, read } = heldReads();
    const reading = new SyncReads(sources(9), read).readOn({ signal }, () => {});
    for (let next = 0; next < 9; next++) {
      await Promise.resolve();
      expect(held.length - next).toBeLessThanOrEqual(4);
      held[next]?.end({ md5: 'm' });
      await new Promise(setImmediate);
    }
    await reading;
    expect(held).toHaveLength(9);
  });

  it('record a checkpoint if they are aborted, and the next call resumes from it', async () => {
    const { held, read } = heldReads();
    const reads = new SyncReads(sources(2), read);
    const abort = new AbortController();
    const reading = reads.readOn({ signal: abort.signal }, () => {});
    await new Promise(setImmediate);
    const checkpoint = { offsetBytes: 64, state: 's', identity: 'i' };
    held[0]?.options.onCheckpoint({ offsetBytes: 32, state: 'r' });
    abort.abort(new Error('the worker stops'));
    held[0]?.end({ checkpoint });
    held[1]?.end({ md5: 'm' });
    await expect(reading).rejects.toThrow('the worker stops');
    expect([reads.left, reads.digests]).toEqual([1, [{ path: '0', checkpoint }]]);

    const elsewhere = heldReads();
    const again = new SyncReads(sources(1), elsewhere.read);
    const continued = again.readOn({ signal, digests: [...reads.digests, { path: 'gone', checkpoint }] }, () => {});
    await new Promise(setImmediate);
    expect(elsewhere.held[0]?.options.resumeFrom).toEqual(checkpoint);
    elsewhere.held[0]?.end({ md5: 'm' });
    await continued;
    expect([again.left, again.digests]).toEqual([0, []]);
  });

  it('report the error of a source, and read the others', async () => {
    const reads = new SyncReads(sources(3), async ({ path }) => {
      if (path === '1') throw new Error('unreadable');
      return { md5: path };
    });
    const outcomes: unknown[] = [];
    await reads.readOn({ signal }, (_source, outcome) => outcomes.push(outcome));
    expect(outcomes).toHaveLength(3);
    expect(outcomes).toContainEqual({ error: new Error('unreadable') });
  });

  it('fail with an error that is not specific to a source, and can be retried', async () => {
    const reads = new SyncReads(sources(3), async () => ({ md5: 'm' }));
    const fail = () => {
      throw new Error('a bug');
    };
    await expect(reads.readOn({ signal }, fail)).rejects.toThrow('a bug');
    expect(reads.left).toBe(3);
    await reads.readOn({ signal }, () => {});
    expect(reads.left).toBe(0);
  });
});
