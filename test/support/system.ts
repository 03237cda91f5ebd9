import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { LonghaulClient } from 'longhaul';
import { createWorker, type LonghaulWorker, type WorkerOptions } from 'longhaul/worker';
import { inject } from 'vitest';
import { hasWorkers } from '../../src/client/queues/queue-workers.ts';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { startLocalApi, type LocalApi, type LocalApiOptions, type UploadStats } from '../../src/local-api/index.ts';
import { tolerantClient } from '../../src/tolerant-client.ts';
import { endCliProcesses } from './cli.ts';
import { installQuietRuntime } from './quiet-runtime.ts';
import { stopServers } from './state-dir.ts';
import { temporalCliForTests } from './temporal-cli.ts';
import { until } from './until.ts';

installQuietRuntime();

export const KEY = 'sk-test-canary-0451';
export const MiB = 1024 * 1024;

export interface System {
  readonly api: LocalApi;
  readonly client: LonghaulClient;
  readonly taskQueue: string;
  readonly temporalAddress: string;
  /** A directory that goes away with the system. */
  readonly directory: string;
  /** A worker in this process. */
  readonly startWorker: (options?: Partial<WorkerOptions>) => Promise<LonghaulWorker>;
  /** Environment in which the command line talks to this system. */
  readonly environment: Readonly<Record<string, string>>;
  /** Environment of a user who has no Temporal, and whose embedded server runs already. See `ownServer`. */
  readonly embedded: Readonly<Record<string, string>>;
  /** The Uploads that the API knows. */
  readonly uploads: () => readonly UploadStats[];
  /** The File's bytes, as the service gives them out. */
  readonly download: (fileId: string) => Promise<Buffer>;
}

export interface SystemOptions extends Partial<LocalApiOptions> {
  /** @defaultValue the server that all test files share */
  readonly temporalAddress?: string;
  /** Whether `embedded` has a separate state directory and server. @defaultValue false: all test files share one */
  readonly ownServer?: boolean;
}

/** The real Temporal server, a real local API over HTTP, and workers on demand; all of it ends with `run`. */
export async function withSystem(
  run: (system: System) => Promise<void>,
  { temporalAddress = inject('temporalAddress'), ownServer = false, ...options }: SystemOptions = {},
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-test-'));
  const api = await startLocalApi({ dataDir: join(directory, 'api'), apiKey: KEY, ...options });
  const taskQueue = `test-${randomUUID()}`;
  const client = await LonghaulClient.connect({ connection: { address: temporalAddress }, taskQueue });
  const closers: (() => Promise<void>)[] = [];
  const stateDir = join(directory, 'state');
  // Each command would start one, and end it.
  const kept = ownServer
    ? await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 })
    : undefined;
  if (kept) closers.push(() => kept.release());
  try {
    await run({
      api,
      client,
      taskQueue,
      temporalAddress,
      directory,
      environment: {
        TEMPORAL_ADDRESS: temporalAddress,
        LONGHAUL_TASK_QUEUE: taskQueue,
        LONGHAUL_STATE_DIR: stateDir,
        OPENAI_BASE_URL: api.url,
        OPENAI_API_KEY: KEY,
        LONGHAUL_ANY_SOURCE: 'true',
      },
      embedded: {
        LONGHAUL_STATE_DIR: ownServer ? stateDir : inject('embeddedStateDir'),
        OPENAI_BASE_URL: api.url,
        OPENAI_API_KEY: KEY,
      },
      startWorker: async (workerOptions = {}) => {
        const connection = await NativeConnection.connect({ address: temporalAddress });
        const worker = await createWorker({
          connection,
          taskQueue,
          destinations: [{ name: 'default', baseUrl: api.url, apiKey: KEY }],
          heartbeatIntervalMs: 200,
          sources: { any: true },
          ...workerOptions,
        });
        void worker.run();
        closers.push(async () => {
          await worker.shutdown();
          await connection.close();
        });
        // A command that runs in this process can be faster than the first poll, and then rejects the queue without a worker.
        for (const queue of worker.taskQueues) {
          const type = queue === taskQueue ? 'workflow' : 'activity';
          await until(() => hasWorkers(client.temporal, queue, type), `a poll of ${queue}`);
        }
        return worker;
      },
      uploads: () => api.stats().uploads,
      download: async (fileId) => {
        const answer = await fetch(`${api.url}/files/${fileId}/content`, {
          headers: { authorization: `Bearer ${KEY}` },
        });
        return Buffer.from(await answer.arrayBuffer());
      },
    });
  } finally {
    await endCliProcesses();
    if (!kept) await stopServers(stateDir);
    await endUploads(client);
    for (const close of closers) await close();
    await client.close();
    await api.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Terminates the workflows of a failed test, which would continue indefinitely. */
async function endUploads(client: LonghaulClient): Promise<void> {
  // Others may have written memos that can't be read.
  const { workflow } = tolerantClient(client.temporal);
  const query = `TaskQueue = "${client.taskQueue}" AND ExecutionStatus = "Running"`;
  for await (const { workflowId } of workflow.list({ query })) {
    await workflow
      .getHandle(workflowId)
      .terminate('the test is over')
      .catch(() => {});
  }
}

/** Waits until the API has wholly stored that many parts. */
export function partsReceived({ uploads }: System, count: number): Promise<void> {
  return until(
    () => uploads().reduce((sum, upload) => sum + upload.partsReceived, 0) >= count,
    `${count} parts received`,
  );
}
