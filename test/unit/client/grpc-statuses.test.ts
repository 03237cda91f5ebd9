import { readFileSync } from 'node:fs';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LonghaulClient, LonghaulError, setupSearchAttributes } from '../../../src/index.ts';
import { createWorker } from '../../../src/worker/index.ts';

const { DescribeWorkflowExecutionResponse, DescribeTaskQueueResponse } = temporal.api.workflowservice.v1;
const RUNNING = 1;
const running = DescribeWorkflowExecutionResponse.encode({
  workflowExecutionInfo: {
    execution: { workflowId: 'one', runId: 'r' },
    type: { name: 'uploadFile' },
    status: RUNNING,
    taskQueue: 'longhaul',
    startTime: { seconds: 1 as never, nanos: 0 },
  },
}).finish();
const polled = DescribeTaskQueueResponse.encode({ pollers: [{ identity: 'w' }] }).finish();

/** A server that responds to the calls in `answers`, and to every other call with the gRPC status `status`. */
class StatusServer {
  status = 0;
  details = 'details of the server';
  letsConnect = true;
  answers: Readonly<Record<string, Uint8Array>> = {};
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #server: Http2Server = createServer((request, response) => {
    const method = request.headers[':path']?.split('/').at(-1) ?? '';
    const answer = method === 'GetSystemInfo' && this.letsConnect ? new Uint8Array() : this.answers[method];
    request.resume();
    response.writeHead(200, { 'content-type': 'application/grpc+proto' });
    response.addTrailers({
      'grpc-status': answer ? '0' : String(this.status),
      'grpc-message': answer ? '' : encodeURIComponent(this.details),
    });
    const frame = Buffer.alloc(answer ? 5 + answer.length : 0);
    if (answer) {
      frame.writeUInt32BE(answer.length, 1);
      frame.set(answer, 5);
    }
    response.end(frame);
  });

  async start(): Promise<string> {
    this.#server.on('session', (session) => this.#sessions.add(session));
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }
}

const server = new StatusServer();
let client: LonghaulClient;
let address: string;

beforeAll(async () => {
  address = await server.start();
  // Without the retries of Temporal's client, which take seconds.
  client = await LonghaulClient.connect({ connection: { address, interceptors: [] } });
});

afterAll(async () => {
  await client.close();
  await server.stop();
});

const source = { type: 'file', path: '/data/a.jsonl', host: 'h' } as const;
const purpose = 'fine-tune';
const sync = { source: { type: 'folder', path: '/data', host: 'h' }, purpose } as const;

type Call = () => Promise<unknown>;

/** Every method that calls Temporal. `result` and `progress` wait while the server is unavailable. */
const calls = (): Readonly<Record<string, Call>> => {
  const upload = client.getHandle('one');
  const run = client.getHandle<'sync'>('one');
  const { schedules } = client;
  return {
    upload: () => client.upload({ source, purpose, id: 'one' }),
    'upload ignoring the inode': () =>
      client.upload({ source, purpose, id: 'one', ignoreInode: true, expectedFingerprint: 'size=1' }),
    uploadSplit: () => client.uploadSplit({ source, purpose, id: 'one' }),
    sync: () => client.sync(sync),
    list: () => client.list()[Symbol.asyncIterator]().next(),
    'handle.status': () => upload.status(),
    'handle.describe': () => upload.describe(),
    'handle.pause': () => upload.pause(),
    'handle.resume': () => upload.resume(),
    'handle.retry': () => upload.retry(),
    'handle.retune': () => upload.retune({ concurrency: 2 }),
    'handle.cancel': () => upload.cancel(),
    'sync.status': () => run.status(),
    'sync.describe': () => run.describe(),
    'sync.pause': () => run.pause(),
    'sync.cancel': () => run.cancel(),
    'schedules.create': () => schedules.create({ name: 'nightly', cron: ['0 3 * * *'], sync }),
    'schedules.list': () => schedules.list(),
    'schedules.get': () => schedules.get('nightly'),
    'schedules.show': () => schedules.show('nightly'),
    'schedules.check': () => schedules.check('nightly'),
    'schedules.pause': () => schedules.pause('nightly'),
    'schedules.resume': () => schedules.resume('nightly'),
    'schedules.trigger': () => schedules.trigger('nightly'),
    'schedules.backfill': () => schedules.backfill('nightly', { from: new Date(0), to: new Date(1000) }),
    'schedules.update': () => schedules.update('nightly', { note: 'x' }),
    'schedules.delete': () => schedules.delete('nightly'),
    setupSearchAttributes: () => setupSearchAttributes(client.temporal, { timeoutMs: 1 }),
  };
};

const waiting = (): Readonly<Record<string, Call>> => ({
  'handle.result': () => client.getHandle('one').result(),
  'handle.progress': () => client.getHandle('one').progress().next(),
  'sync.result': () => client.getHandle<'sync'>('one').result(),
  'sync.progress': () => client.getHandle<'sync'>('one').progress().next(),
});

/** `| 7 `PERMISSION_DENIED` | `TemporalDeniedError` | `TEMPORAL_DENIED` | no |` in docs/services.md. */
const documented = [
  ...readFileSync(new URL('../../../docs/services.md', import.meta.url), 'utf8').matchAll(
    /^\| (\d+) `([A-Z_]+)` +\| `(\w+)` +\| `([A-Z_]+)` +\| (yes|no) +\|$/gm,
  ),
].map(([, number, name, className, code, retryable]) => ({
  status: Number(number),
  name: name as string,
  className,
  code: code as string,
  retryable: retryable === 'yes',
}));

/** While Temporal or all workers are unavailable, `result` and `progress` wait. */
const AWAY = [1, 4, 8, 9, 14];

const isSuccess = (status: number, what: string) => status === 6 && /^(setupSearchAttributes|upload)$/.test(what);

/** Codes that are closer to the call than that of the status. */
const closer: Readonly<Record<number, readonly string[]>> = {
  1: ['NO_WORKER'],
  3: ['QUERY_REFUSED', 'STRANGE_WORKFLOW', 'SETUP_REFUSED'],
  4: ['NO_WORKER'],
  5: ['JOB_NOT_FOUND', 'JOB_NOT_FOUND', 'SCHEDULE_NOT_FOUND', 'SETUP_REFUSED'],
  6: ['SCHEDULE_EXISTS'],
  9: ['NO_WORKER'],
};

async function thrown(call: Call): Promise<unknown> {
  try {
    return { returned: await call() };
  } catch (error) {
    return error;
  }
}

it('the table of gRPC statuses in the documentation is complete', () => {
  expect(documented.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
});

it('a worker does not need a server that can describe the namespace', async () => {
  Object.assign(server, { status: 12, answers: {} });
  const connection = await NativeConnection.connect({ address });
  const worker = await createWorker({ connection, destinations: [], roles: ['transfer'], host: 'h' });
  expect(worker.taskQueues).toEqual(['longhaul-transfer', 'longhaul-transfer-h']);
  await worker.shutdown();
  await connection.close();
});

describe.each(documented)('the gRPC status $status $name', ({ status, name, className, code, retryable }) => {
  const check = (error: unknown, what: string) => {
    expect(error, what).toBeInstanceOf(LonghaulError);
    const found = error as LonghaulError;
    expect(found.message, what).not.toMatch(/\n|undefined|Unexpected error/);
    expect(found.cause, what).toBeInstanceOf(Error);
    if (!(closer[status] ?? ['SETUP_REFUSED']).includes(found.code) && found.code !== 'SETUP_REFUSED') {
      expect(found, what).toMatchObject({ name: className, code, retryable });
      expect(found.message, what).toMatch(
        /^.+details of the server \(([A-Z_]+)\)\. .+\.$|^.*details of the server.*\. .+/,
      );
    }
    if (found.code === 'TEMPORAL_FAILED') expect(found, what).toMatchObject({ grpcStatus: name });
  };

  it('is a LonghaulError of every method', async () => {
    Object.assign(server, { status, answers: {} });
    const all = { ...calls(), ...(AWAY.includes(status) ? {} : waiting()) };
    await Promise.all(
      Object.entries(all).map(async ([what, call]) => {
        if (what !== 'setupSearchAttributes' || !isSuccess(status, what)) check(await thrown(call), what);
      }),
    );
  });

  it('is a LonghaulError of a method whose first calls succeed', async () => {
    const answers = { DescribeWorkflowExecution: running };
    const some = ['handle.status', 'handle.pause', 'handle.retune', 'sync.status', 'sync.pause', 'upload'];
    const all = calls();
    for (const and of [answers, { ...answers, DescribeTaskQueue: polled }]) {
      Object.assign(server, { status, answers: and });
      await Promise.all(
        some.map(async (what) => isSuccess(status, what) || check(await thrown(all[what] as Call), what)),
      );
    }
  });

  // A server without GetSystemInfo is an old one.
  it.skipIf(status === 12)('is a LonghaulError of connect', async () => {
    Object.assign(server, { status, answers: {}, letsConnect: false });
    const connection = { address, interceptors: [], connectTimeout: 20_000 };
    const close = vi.spyOn(Connection.prototype, 'close');
    const error = await thrown(() => LonghaulClient.connect({ connection }));
    server.letsConnect = true;
    check(error, 'connect');
    expect(close, 'a connection that stays open').toHaveBeenCalledOnce();
    close.mockRestore();
  });
});

describe('a namespace that does not exist', () => {
  it.each(['Namespace nope is not found.', 'namespace "nope" not found'])(
    'is the same error in each method: %s',
    async (details) => {
      Object.assign(server, { status: 5, answers: {}, details });
      try {
        for (const [what, call] of Object.entries({ ...calls(), ...waiting() })) {
          const error = await thrown(call);
          expect(error, what).toMatchObject({
            code: 'NAMESPACE_NOT_FOUND',
            message: expect.stringContaining('"nope"'),
          });
          expect(error, what).toBeInstanceOf(LonghaulError);
        }
      } finally {
        server.details = 'details of the server';
      }
    },
  );
});

it('a call after close is a LonghaulError that names the cause', async () => {
  const closed = await LonghaulClient.connect({ connection: { address, interceptors: [] } });
  await closed.close();
  const error = await thrown(() => closed.getHandle('one').describe());
  expect(error).toMatchObject({ code: 'TEMPORAL_UNREACHABLE', message: expect.stringMatching(/Connect again\.$/) });
  expect(error).toBeInstanceOf(LonghaulError);
});

it('a message that is too large for Temporal fails immediately', async () => {
  const details = 'grpc: received message larger than max (5242880 vs. 4194304)';
  Object.assign(server, { status: 8, answers: {}, details });
  try {
    for (const [what, call] of Object.entries(waiting())) {
      const error = await thrown(call);
      expect(error, what).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('too large') });
    }
  } finally {
    server.details = 'details of the server';
  }
});
