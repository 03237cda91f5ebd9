import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { encryptedDataConverter, LonghaulClient } from 'longhaul';
import { LonghaulPlugin, startTracing, type LonghaulPluginOptions } from 'longhaul/worker';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { withOtlpCollector } from '../support/otlp-collector.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { KEY, MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { textIn } from '../support/text-in.ts';
import { until } from '../support/until.ts';

const workflowsPath = fileURLToPath(new URL('../support/host-workflows.ts', import.meta.url));

let workflowBundle: { code: string };
beforeAll(async () => {
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
});

interface Host {
  readonly worker: Worker;
  readonly ended: Promise<void>;
  readonly taskQueue: string;
}

const pluginOptions = ({ api, taskQueue }: System): LonghaulPluginOptions => ({
  taskQueue,
  destinations: [{ name: 'default', baseUrl: api.url, apiKey: KEY }],
  sources: { any: true },
});

/** A worker of a service, with its own workflow and activity, which runs Longhaul's queues alongside. */
async function withHost(
  system: System,
  run: (host: Host) => Promise<void>,
  options: Partial<WorkerOptions> = {},
): Promise<void> {
  const connection = await NativeConnection.connect({ address: system.temporalAddress });
  const taskQueue = `host-${randomUUID()}`;
  try {
    const worker = await Worker.create({
      connection,
      taskQueue,
      workflowBundle,
      activities: { describe: async (fileId: string) => `published ${fileId}` },
      plugins: [new LonghaulPlugin(pluginOptions(system))],
      ...options,
    });
    const ended = worker.run();
    ended.catch(() => {});
    try {
      await run({ worker, ended, taskQueue });
    } finally {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended.catch(() => {});
    }
  } finally {
    // Rejects if a worker still uses it.
    await connection.close();
  }
}

const uploadOf = (path: string) =>
  ({ source: { type: 'file', path }, purpose: 'assistants', partSizeBytes: MiB }) as const;

describe('LonghaulPlugin', () => {
  it('uploads a file as a child of a workflow of the host, with the codec of the host', () =>
    withSystem(async (system) => {
      const path = join(system.directory, 'child.bin');
      const content = await randomFile(path, 3 * MiB);
      const keyFile = join(system.directory, 'keys');
      await writeFile(keyFile, `2026 ${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
      const dataConverter = encryptedDataConverter({ keyFile });
      const connection = { address: system.temporalAddress };
      const client = await LonghaulClient.connect({ connection, taskQueue: system.taskQueue, dataConverter });
      const seen: string[] = [];
      const activity = () => ({
        inbound: {
          execute: (input: { args: unknown[] }, next: (input: never) => Promise<unknown>) => {
            seen.push(Object.keys(input.args[0] ?? {}).join(' '));
            return next(input as never);
          },
        },
      });
      const plugin = new LonghaulPlugin({ ...pluginOptions(system), interceptors: { activity: [activity] } });
      await withHost(
        system,
        async ({ worker, ended, taskQueue }) => {
          const workflowId = `upload-${randomUUID()}`;
          const published = await client.temporal.workflow.execute('publish', {
            taskQueue,
            workflowId: `publish-${randomUUID()}`,
            args: [uploadOf(path), system.taskQueue, workflowId],
          });
          const { file } = await client.getHandle(workflowId).result();
          await client.close();
          expect(published).toBe(`published ${file.id}`);
          expect(md5(await system.download(file.id))).toBe(md5(content));
          expect(seen.length, 'the interceptor of the host').toBeGreaterThan(3);
          worker.shutdown();
          await ended;
        },
        { plugins: [plugin], dataConverter },
      );
    }));

  it('releases its parts when the host shuts down, and another host continues the upload', () =>
    withSystem(
      async (system) => {
        const path = join(system.directory, 'two-hosts.bin');
        const content = await randomFile(path, 6 * MiB);
        const handle = await system.client.upload({
          file: path,
          purpose: 'assistants',
          partSizeBytes: MiB,
          concurrency: 1,
        });
        await withHost(system, async ({ worker, ended }) => {
          await partsReceived(system, 2);
          worker.shutdown();
          await ended;
        });
        expect((await handle.describe()).status).toBe('RUNNING');
        system.api.configure({ bandwidthBytesPerSecond: null });
        await withHost(system, async () => {
          const { file, sessions } = await handle.result();
          expect(sessions).toBe(1);
          expect(md5(await system.download(file.id))).toBe(md5(content));
        });
      },
      { bandwidthBytesPerSecond: 2 * MiB },
    ));

  it('rejects run() of the host with the error of its workers, or of the host', () =>
    withSystem(async (system) => {
      // The SDK rejects a second worker of a queue on one connection.
      const connection = await NativeConnection.connect({ address: system.temporalAddress });
      const rival = await Worker.create({ connection, taskQueue: system.taskQueue, activities: { a: async () => {} } });
      const running = rival.run();
      try {
        await withHost(
          system,
          async ({ worker, ended }) => {
            await expect(ended).rejects.toMatchObject({
              code: 'CONFIG_INVALID',
              message: expect.stringContaining(
                `another worker of this process polls the task queue "${system.taskQueue}"`,
              ),
            });
            expect(worker.getState()).toBe('STOPPED');
          },
          { connection },
        );
        const failing = {
          name: 'failing',
          runWorker: async (worker: Worker, next: (worker: Worker) => Promise<void>) => {
            const ended = next(worker);
            worker.shutdown();
            await ended;
            throw new Error('the host failed');
          },
        };
        await withHost(
          system,
          async ({ ended }) => {
            await expect(ended).rejects.toThrow('the host failed');
          },
          { plugins: [new LonghaulPlugin(pluginOptions(system)), failing] },
        );
      } finally {
        rival.shutdown();
        await running;
        await connection.close();
      }
    }));

  it('rejects a host that polls a queue of Longhaul, and a connection of another copy of the SDK', () =>
    withSystem(async (system) => {
      const plugin = new LonghaulPlugin(pluginOptions(system));
      const connection = await NativeConnection.connect({ address: system.temporalAddress });
      try {
        const create = (options: Partial<WorkerOptions>) =>
          Worker.create({ taskQueue: 'host', activities: {}, plugins: [plugin], connection, ...options });
        await expect(create({ taskQueue: system.taskQueue })).rejects.toThrow(/is a queue of Longhaul/);
        await expect(create({ connection: undefined })).rejects.toThrow(/connection of the worker, which has none/);
        const foreign = { constructor: { name: 'NativeConnection' } } as unknown as NativeConnection;
        await expect(create({ connection: foreign })).rejects.toThrow(
          /two copies of @temporalio\/worker: Longhaul uses/,
        );
      } finally {
        await connection.close();
      }
    }));
});

describe('the Nexus service', () => {
  it('uploads a file for a workflow of another namespace, once for one ID', () =>
    withSystem(async (system) => {
      const path = join(system.directory, 'nexus.bin');
      const content = await randomFile(path, 3 * MiB);
      await system.startWorker({ nexus: true });
      const namespace = `caller-${randomUUID().slice(0, 8)}`;
      const endpoint = `longhaul-${randomUUID().slice(0, 8)}`;
      const caller = await Connection.connect({ address: system.temporalAddress });
      const connection = await NativeConnection.connect({ address: system.temporalAddress });
      try {
        await caller.workflowService.registerNamespace({
          namespace,
          workflowExecutionRetentionPeriod: msToTs('1 day'),
        });
        const target = { worker: { namespace: 'default', taskQueue: system.taskQueue } };
        await caller.operatorService.createNexusEndpoint({ spec: { name: endpoint, target } });
        const client = new Client({ connection: caller, namespace });
        const create = () => Worker.create({ connection, namespace, taskQueue: 'callers', workflowBundle });
        const worker = await untilCreated(create);
        await worker.runUntil(async () => {
          const publish = (workflowId: string, purpose = 'assistants') =>
            client.workflow.execute('publishByNexus', {
              taskQueue: 'callers',
              workflowId: randomUUID(),
              args: [endpoint, { ...uploadOf(path), purpose, workflowId }],
            });
          const id = `nexus-${randomUUID()}`;
          const [one, other] = await Promise.all([publish(id), publish(id)]);
          expect(one).toBe(other);
          expect(await publish(id), 'of a completed upload').toBe(one);
          expect(md5(await system.download(one as string))).toBe(md5(content));
          expect(system.uploads()).toHaveLength(1);
          await expect(publish(id, 'vision')).rejects.toMatchObject({
            cause: { cause: { message: expect.stringContaining('belongs to another job') } },
          });
        });
      } finally {
        await connection.close();
        await caller.close();
      }
    }));
});

/** A new namespace is usable only after some seconds. */
async function untilCreated(create: () => Promise<Worker>): Promise<Worker> {
  let worker: Worker | undefined;
  await until(async () => {
    worker = await create().catch(() => undefined);
    return worker !== undefined;
  }, 'the namespace to be usable');
  return worker as Worker;
}

it('two hosts share one guest with encryption, traces and Nexus, and cancel its uploads', () =>
  withOtlpCollector((collector) =>
    withSystem(
      async (system) => {
        const keyFile = join(system.directory, 'keys');
        await writeFile(keyFile, `2026 ${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
        const dataConverter = encryptedDataConverter({ keyFile });
        // The name of a File is a search attribute, and stays readable.
        const folder = join(system.directory, 'canary-5e1d');
        await mkdir(folder);
        const path = join(folder, 'shared.bin');
        const content = await randomFile(path, 4 * MiB);
        vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
        const tracing = await startTracing();
        vi.unstubAllEnvs();
        const plugin = new LonghaulPlugin({ ...pluginOptions(system), nexus: true, tracing, heartbeatIntervalMs: 200 });
        const connection = await NativeConnection.connect({ address: system.temporalAddress });
        const caller = await Connection.connect({ address: system.temporalAddress });
        const endpoint = `longhaul-${randomUUID().slice(0, 8)}`;
        const target = { worker: { namespace: 'default', taskQueue: system.taskQueue } };
        await caller.operatorService.createNexusEndpoint({ spec: { name: endpoint, target } });
        const client = new Client({ connection: caller, dataConverter });
        const shared = { connection, dataConverter, plugins: [plugin] };
        const history = async (id: string) => {
          const { events } = await client.workflow.getHandle(id).fetchHistory();
          return textIn(events);
        };
        try {
          await withHost(
            system,
            (first) =>
              withHost(
                system,
                async (second) => {
                  const ids = [`nexus-${randomUUID()}`, `nexus-${randomUUID()}`] as const;
                  const start = (taskQueue: string, workflowId: string) =>
                    client.workflow.start('publishByNexus', {
                      taskQueue,
                      workflowId: `caller-${workflowId}`,
                      args: [endpoint, { ...uploadOf(path), workflowId }],
                    });
                  const cancelled = await start(first.taskQueue, ids[0]);
                  await until(() => system.uploads().length === 1, 'a session');
                  await cancelled.cancel();
                  await expect(cancelled.result()).rejects.toThrow(/cancelled/i);
                  const upload = client.workflow.getHandle(ids[0]);
                  await until(async () => (await upload.describe()).status.name === 'CANCELLED', 'the upload to end');
                  expect(system.uploads().map(({ status }) => status)).toEqual(['cancelled']);

                  // The guest continues for the host that is left.
                  first.worker.shutdown();
                  await first.ended;
                  system.api.configure({ bandwidthBytesPerSecond: null });
                  const fileId = await (await start(second.taskQueue, ids[1])).result();
                  expect(md5(await system.download(fileId as string))).toBe(md5(content));
                  for (const id of ids) expect(await history(id)).not.toContain('canary-5e1d');
                  for (const id of ids) expect(await history(`caller-${id}`)).not.toContain('canary-5e1d');
                  second.worker.shutdown();
                  await second.ended;
                },
                shared,
              ),
            shared,
          );
          await tracing.close();
          const names = collector.spans.map(({ name }) => name);
          expect(names).toEqual(expect.arrayContaining(['RunWorkflow:uploadFile', 'RunActivity:uploadPart', 'POST']));
        } finally {
          await caller.close();
          await connection.close();
        }
      },
      // No part completes before the cancel.
      { bandwidthBytesPerSecond: MiB / 64 },
    ),
  ));
