import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { LonghaulClient } from 'longhaul';
import { createWorker, type LonghaulWorker, type WorkerOptions } from 'longhaul/worker';
import { inject } from 'vitest';
import { hasWorkers } from '../../src/client/queues/queue-workers.ts';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { startLocalApi, type LocalApi, type LocalApiOptions, type UploadStats } from '../../src/local-api/index.ts';
import { tolerantClient } from '../../src/temporal/tolerant-client.ts';
import { endCliProcesses } from './cli.ts';
import { installQuietRuntime } from './quiet-runtime.ts';
import { stopServers } from './state-dir.ts';
import { temporalCliForTests } from './temporal-cli.ts';
import { until } from './until.ts';

installQuietRuntime();

export const KEY = 'sk-test-canary-0451';
export const MiB = 1024 * 1024;

/** Runs the tests against the Azure mode of the local API, with destinations of the kind azure. */
const IS_AZURE = process.env['LONGHAUL_TEST_AZURE'] === 'true';

export interface System {
  readonly api: LocalApi;
  readonly client: LonghaulClient;
  readonly taskQueue: string;
  readonly temporalAddress: string;
  /** Whether the API is the Azure mode of the local API. */
  readonly isAzure: boolean;
  /** Headers of a request to the API. */
  readonly keyHeaders: Readonly<Record<string, string>>;
  /** Variables of the service for a command. */
  readonly service: Readonly<Record<string, string>>;
  /** A directory that is removed with the system. */
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
  { temporalAddress = inject('temporalAddress'), ownServer = false, azure = IS_AZURE, ...options }: SystemOptions = {},
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-test-'));
  const api = await startLocalApi({ dataDir: join(directory, 'api'), apiKey: KEY, azure, ...options });
  const service = azure ? await azureVariables(directory, api.url) : { OPENAI_BASE_URL: api.url, OPENAI_API_KEY: KEY };
  const keyHeaders: Record<string, string> = azure ? { 'api-key': KEY } : { authorization: `Bearer ${KEY}` };
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
      isAzure: azure,
      keyHeaders,
      service,
      environment: {
        TEMPORAL_ADDRESS: temporalAddress,
        LONGHAUL_TASK_QUEUE: taskQueue,
        LONGHAUL_STATE_DIR: stateDir,
        ...service,
        LONGHAUL_ANY_SOURCE: 'true',
      },
      embedded: {
        LONGHAUL_STATE_DIR: ownServer ? stateDir : inject('embeddedStateDir'),
        ...service,
      },
      startWorker: async (workerOptions = {}) => {
        const connection = await NativeConnection.connect({ address: temporalAddress });
        const worker = await createWorker({
          connection,
          taskQueue,
          destinations: [{ name: 'default', kind: azure ? 'azure' : 'openai', baseUrl: api.url, apiKey: KEY }],
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
          headers: keyHeaders,
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

/** The environment of a default destination of the kind azure. */
async function azureVariables(directory: string, baseUrl: string): Promise<Readonly<Record<string, string>>> {
  const config = join(directory, 'azure.json');
  await writeFile(config, JSON.stringify({ destinations: { default: { kind: 'azure', baseUrl } } }));
  return { LONGHAUL_CONFIG: config, AZURE_OPENAI_API_KEY: KEY };
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
