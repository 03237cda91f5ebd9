import type { Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { queuesOfRunning, queuesOfWaiting, type PendingActivity } from '../../../../src/client/follow/pending.ts';
import { QueueWorkers } from '../../../../src/client/queues/queue-workers.ts';
import { findUnpolledQueue, UnpolledQueueWatch } from '../../../../src/client/queues/unpolled-queue.ts';

const RUNNING = 1;
const SHUTTING_DOWN = 2;
const SECOND = 1000;
const QUEUE = 'longhaul-transfer-a';
const START_MS = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout'], now: START_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

const time = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 });

interface ServedWorker {
  identity?: string;
  status?: number;
  heardMs: number;
  /** Undefined: it sent one heartbeat. */
  intervalMs?: number | undefined;
}

/** Responses of the server, which tests change. */
interface Server {
  workers: ServedWorker[];
  pollers: { identity?: string; lastSeenMs: number }[];
  /** Queues with a running activity of another upload. */
  running: string[];
  acceptsHeartbeats: boolean;
  isAvailable: boolean;
  calls: number;
}

function serve(changes: Partial<Server>): { server: Server; client: Client } {
  const server: Server = {
    workers: [],
    pollers: [],
    running: [],
    acceptsHeartbeats: true,
    isAvailable: true,
    calls: 0,
    ...changes,
  };
  const workflowService = {
    listWorkers: () => {
      server.calls += 1;
      if (!server.acceptsHeartbeats) throw new Error('12 UNIMPLEMENTED');
      const workersInfo = server.workers.map(({ identity = '1@a', status = RUNNING, heardMs, intervalMs }) => ({
        workerHeartbeat: {
          workerIdentity: identity,
          status,
          heartbeatTime: time(heardMs),
          elapsedSinceLastHeartbeat: intervalMs === undefined ? null : time(intervalMs),
        },
      }));
      return Promise.resolve({ workersInfo, workers: [] });
    },
    describeTaskQueue: async () => {
      if (!server.isAvailable) throw new Error('14 UNAVAILABLE');
      const pollers = server.pollers.map(({ identity = '1@a', lastSeenMs }) => ({
        identity,
        lastAccessTime: time(lastSeenMs),
      }));
      return { pollers };
    },
  };
  const workflow = {
    async *list() {
      for (const workflowId of server.running) {
        yield {
          workflowId,
          type: 'uploadFile',
          status: { name: 'RUNNING' },
          typedSearchAttributes: { get: () => undefined },
        };
      }
    },
    getHandle: (queue: string) => ({
      describe: () => Promise.resolve({ raw: { pendingActivities: [activity({ state: 2, queue })] } }),
    }),
  };
  const client = { workflowService, workflow, options: { namespace: 'default' } } as unknown as Client;
  return { server, client };
}

function activity({ state = 1, queue = QUEUE, isBetweenAttempts = false, ageMs = 0 }): PendingActivity {
  return {
    state,
    scheduledTime: time(Date.now() - ageMs),
    nextAttemptScheduleTime: isBetweenAttempts ? time(Date.now()) : null,
    activityOptions: { taskQueue: { name: queue } },
  } as unknown as PendingActivity;
}

const presence = async (client: Client) => (await QueueWorkers.of(client).look(QUEUE, 'activity')).presence;
const ago = (ms: number) => START_MS - ms;

describe('a queue', () => {
  it('is unpolled if no worker ever polled it', async () => {
    const { client } = serve({});
    expect(await presence(client)).toBe('unpolled');
  });

  it('is polled if a worker sends heartbeats, also if its slots are full and its last poll is old', async () => {
    const workers = [{ heardMs: ago(4 * SECOND), intervalMs: 5 * SECOND }];
    const { client } = serve({ workers, pollers: [{ lastSeenMs: ago(280 * SECOND) }] });
    expect(await presence(client)).toBe('polled');
  });

  it('is unpolled immediately if its worker was shut down, although Temporal still lists the poll', async () => {
    const workers = [{ status: SHUTTING_DOWN, heardMs: ago(100) }];
    const { client } = serve({ workers, pollers: [{ lastSeenMs: ago(SECOND) }] });
    expect(await presence(client)).toBe('unpolled');
    // Its parts appear to run until their heartbeat timeout.
    expect(await findUnpolledQueue(client, 'longhaul', [activity({}), activity({ state: 2 })])).toBeDefined();
  });

  it('is unpolled if a worker missed three heartbeats, and a second check confirms it', async () => {
    const workers = [{ heardMs: ago(14 * SECOND), intervalMs: 5 * SECOND }];
    const { client } = serve({ workers, pollers: [{ lastSeenMs: ago(30 * SECOND) }] });
    expect(await presence(client)).toBe('polled');
    vi.advanceTimersByTime(5 * SECOND);
    expect(await presence(client)).toBe('silent');
    vi.advanceTimersByTime(2 * SECOND);
    expect(await presence(client)).toBe('unpolled');
  });

  it('is polled if the clock of this machine is minutes ahead, and the heartbeats continue', async () => {
    const { server, client } = serve({ workers: [{ heardMs: ago(240 * SECOND), intervalMs: 5 * SECOND }] });
    for (let look = 0; look < 10; look++) {
      expect(await presence(client)).toBe('silent');
      vi.advanceTimersByTime(5 * SECOND);
      server.workers = [{ heardMs: Date.now() - 240 * SECOND, intervalMs: 5 * SECOND }];
    }
  });

  it('counts a worker with one heartbeat by the default interval of the SDK', async () => {
    const { client } = serve({ workers: [{ heardMs: ago(170 * SECOND), intervalMs: undefined }] });
    expect(await presence(client)).toBe('polled');
  });

  it('is polled by a new process with the identity of one that was killed', async () => {
    const workers = [{ heardMs: ago(60 * SECOND), intervalMs: 5 * SECOND }];
    const { client } = serve({ workers, pollers: [{ lastSeenMs: ago(SECOND) }] });
    expect(await presence(client)).toBe('polled');
  });

  it('is polled by a worker without heartbeats for one poll and 30 s', async () => {
    const { server, client } = serve({ acceptsHeartbeats: false, pollers: [{ lastSeenMs: ago(85 * SECOND) }] });
    expect(await presence(client)).toBe('polled');
    vi.advanceTimersByTime(10 * SECOND);
    expect(await presence(client)).toBe('silent');
    vi.advanceTimersByTime(6 * SECOND);
    expect(await presence(client)).toBe('unpolled');
    // A worker with full slots does not poll.
    server.running = ['other-queue', QUEUE];
    vi.advanceTimersByTime(6 * SECOND);
    expect(await presence(client)).toBe('polled');
  });

  it('is checked once for all handles of a client, and again after some seconds', async () => {
    const { server, client } = serve({ workers: [{ heardMs: ago(SECOND), intervalMs: 5 * SECOND }] });
    await Promise.all(Array.from({ length: 20 }, () => presence(client)));
    expect(server.calls).toBe(1);
    vi.advanceTimersByTime(5 * SECOND);
    await presence(client);
    expect(server.calls).toBe(2);
  });
});

describe('a waiting task', () => {
  it('is not reported between two attempts', () => {
    expect(queuesOfWaiting([activity({})])).toEqual([QUEUE]);
    expect(queuesOfWaiting([activity({ isBetweenAttempts: true })])).toEqual([]);
    expect(queuesOfWaiting([activity({}), activity({ state: 2, queue: 'other' })])).toEqual([QUEUE]);
    expect(queuesOfRunning([activity({}), activity({ state: 2, queue: 'other' })])).toEqual(['other']);
  });

  it('is reported with the host and the fix', async () => {
    const { client } = serve({});
    expect(await findUnpolledQueue(client, 'longhaul', [activity({})])).toEqual({
      taskQueue: QUEUE,
      host: 'a',
      reason: `no worker of host a polls task queue "${QUEUE}". Start "longhaul worker" there, or on another machine with the same files and LONGHAUL_HOST=a.`,
    });
    const ofAll = [activity({ queue: 'longhaul-transfer' })];
    expect(await findUnpolledQueue(client, 'longhaul', ofAll)).toEqual({
      taskQueue: 'longhaul-transfer',
      host: undefined,
      reason: 'no worker polls task queue "longhaul-transfer". Start "longhaul worker".',
    });
    expect(await findUnpolledQueue(client, 'longhaul', [])).toBeUndefined();
    // Without heartbeats of workers, running work is the only evidence of a worker with full slots.
    expect(await findUnpolledQueue(client, 'longhaul', [activity({}), activity({ state: 2 })])).toBeUndefined();
  });

  it('is reported after 2 s, so that a worker can start, or immediately if it is old', async () => {
    const { client } = serve({});
    const watch = new UnpolledQueueWatch(client);
    const check = (ageMs = 0) => watch.check('longhaul', [activity({ ageMs })]);
    expect(await check()).toBeUndefined();
    vi.advanceTimersByTime(1500);
    expect(await check()).toBeUndefined();
    vi.advanceTimersByTime(1500);
    expect(await check()).toMatchObject({ host: 'a' });
    const other = new UnpolledQueueWatch(client);
    const old = [activity({ ageMs: 60 * SECOND })];
    expect(await other.check('longhaul', old)).toMatchObject({ host: 'a' });
  });

  it('is not reported if it runs, or if Temporal is unavailable', async () => {
    const { server, client } = serve({});
    const watch = new UnpolledQueueWatch(client);
    const old = [activity({ ageMs: 60 * SECOND })];
    expect(await watch.check('longhaul', old)).toBeDefined();
    server.isAvailable = false;
    vi.advanceTimersByTime(3 * SECOND);
    expect(await watch.check('longhaul', old)).toBeUndefined();
    server.isAvailable = true;
    vi.advanceTimersByTime(SECOND);
    expect(await watch.check('longhaul', old)).toBeDefined();
    vi.advanceTimersByTime(SECOND);
    expect(await watch.check('longhaul', [activity({ state: 2 })])).toBeUndefined();
  });
});
