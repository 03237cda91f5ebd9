import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TopBoard } from '../../../../src/cli/commands/top/board.ts';
import type { LonghaulClient } from '../../../../src/client/longhaul-client.ts';
import { describeSilence } from '../../../../src/client/queues/describe-silence.ts';

vi.mock('../../../../src/client/queues/describe-silence.ts', { spy: true });

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Progress = (options: { readonly signal: AbortSignal }) => AsyncGenerator;

/** A client whose workers respond for none of its uploads. */
function silentClient(workflowIds: readonly string[], progress: Progress): LonghaulClient {
  const job = { type: 'uploadFile', status: 'RUNNING', taskQueue: 'q', startedAt: new Date() };
  return {
    temporal: {
      withAbortSignal: (_signal: AbortSignal, call: () => Promise<void>) => call(),
      withDeadline: (_deadline: number, call: () => Promise<void>) => call(),
    },
    list: async function* () {
      for (const workflowId of workflowIds) yield { ...job, workflowId };
    },
    getHandle: () => ({ progress }),
  } as unknown as LonghaulClient;
}

describe('the rows of a silent queue', () => {
  const troublesOf = async (board: TopBoard) =>
    (await board.read(Infinity, 'start', new AbortController().signal)).rows.map(({ trouble }) => trouble);

  it('share one check of the workers, which is repeated after five seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const check = vi.mocked(describeSilence).mockResolvedValueOnce('they hang').mockResolvedValueOnce('none polls');
    const client = silentClient(['a', 'b', 'c'], async function* () {
      yield { type: 'no-answer', reason: 'x' };
    });
    const board = new TopBoard(client, 1000, 0);
    expect(await troublesOf(board)).toEqual(['they hang', 'they hang', 'they hang']);
    vi.advanceTimersByTime(1000);
    expect(await troublesOf(board)).toEqual(['they hang', 'they hang', 'they hang']);
    vi.advanceTimersByTime(5000);
    expect(await troublesOf(board)).toEqual(['none polls', 'none polls', 'none polls']);
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('wait for the queries that are made at the same time, and for no others', async () => {
    let queries = 0;
    const ids = Array.from({ length: 100 }, (_, index) => `job-${index}`);
    // Ends without an event, as that of a handle.
    const client = silentClient(ids, async function* ({ signal }) {
      queries += 1;
      await once(signal, 'abort');
      yield* [];
    });
    expect(await troublesOf(new TopBoard(client, 20))).toEqual(ids.map(() => 'no worker responds'));
    expect(queries).toBe(16);
  });
});
