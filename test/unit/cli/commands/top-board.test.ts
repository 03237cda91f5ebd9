import { afterEach, describe, expect, it, vi } from 'vitest';
import { TopBoard } from '../../../../src/cli/commands/top/board.ts';
import type { LonghaulClient } from '../../../../src/client/longhaul-client.ts';
import { describeSilence } from '../../../../src/client/queues/describe-silence.ts';

vi.mock('../../../../src/client/queues/describe-silence.ts', { spy: true });

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A client whose workers respond for none of its three uploads. */
function silentClient(): LonghaulClient {
  const job = { type: 'uploadFile', status: 'RUNNING', taskQueue: 'q', startedAt: new Date() };
  return {
    temporal: { withAbortSignal: (_signal: AbortSignal, call: () => Promise<void>) => call() },
    list: async function* () {
      for (const workflowId of ['a', 'b', 'c']) yield { ...job, workflowId };
    },
    getHandle: () => ({
      progress: async function* () {
        yield { type: 'no-answer', reason: 'x' };
      },
    }),
  } as unknown as LonghaulClient;
}

describe('the rows of a silent queue', () => {
  it('share one check of the workers, which is repeated after five seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const check = vi.mocked(describeSilence).mockResolvedValueOnce('they hang').mockResolvedValueOnce('none polls');
    const board = new TopBoard(silentClient(), 1000, 0);
    const troubles = async () =>
      (await board.read(9, 'start', new AbortController().signal)).rows.map(({ trouble }) => trouble);
    expect(await troubles()).toEqual(['they hang', 'they hang', 'they hang']);
    vi.advanceTimersByTime(1000);
    expect(await troubles()).toEqual(['they hang', 'they hang', 'they hang']);
    vi.advanceTimersByTime(5000);
    expect(await troubles()).toEqual(['none polls', 'none polls', 'none polls']);
    expect(check).toHaveBeenCalledTimes(2);
  });
});
