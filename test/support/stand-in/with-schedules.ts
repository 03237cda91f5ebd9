import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { LonghaulClient, type SchedulesClient, type SyncRequest } from 'longhaul';
import { inject } from 'vitest';
import { cacheDirectory } from '../cache-directory.ts';
import { installQuietRuntime } from '../quiet-runtime.ts';

installQuietRuntime();

export interface ScheduleSystem {
  readonly client: LonghaulClient;
  readonly schedules: SchedulesClient;
  readonly temporalAddress: string;
  /** Unique on the server that all tests share. */
  readonly name: (text: string) => string;
  /** Starts the stand-in for `syncSource`. */
  readonly startWorker: () => Promise<void>;
  /** Returns the start and end of each run of a schedule, by start. Running runs end now. */
  readonly spans: (name: string) => Promise<{ startMs: number; endMs: number; isRunning: boolean }[]>;
}

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
const sdkPath = createRequire(import.meta.url).resolve('@temporalio/worker/package.json');
let bundle: Promise<{ readonly codePath: string }> | undefined;

/** Returns the bundle of these workflows and this SDK from the cache of the user. Webpack takes a second of CPU time. */
async function standInBundle(): Promise<{ readonly codePath: string }> {
  const hash = createHash('sha256');
  for (const path of [workflowsPath, sdkPath]) hash.update(await readFile(path));
  const codePath = join(cacheDirectory, `stand-in-${hash.digest('hex').slice(0, 16)}.js`);
  if (existsSync(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const unfinished = `${codePath}.${process.pid}`;
  try {
    await mkdir(cacheDirectory, { recursive: true });
    await writeFile(unfinished, code);
    await rename(unfinished, codePath);
    return { codePath };
  } catch {
    // The cache can be read-only.
    const temporary = join(inject('embeddedStateDir'), `stand-in-${process.pid}.js`);
    await writeFile(temporary, code);
    return { codePath: temporary };
  }
}

/** The request of a stand-in run: see `workflows.ts`. */
export function standIn(prefix = ''): SyncRequest {
  return {
    source: { type: 'folder', path: '/data', host: 'nowhere' },
    purpose: 'assistants',
    ...(prefix ? { prefix } : {}),
  };
}

/** Schedules on a real server, with a worker on demand; they and their runs end with `run`. */
export async function withSchedules(
  run: (system: ScheduleSystem) => Promise<void>,
  temporalAddress = inject('temporalAddress'),
): Promise<void> {
  const mark = randomUUID().slice(0, 8);
  const taskQueue = `test-${mark}`;
  const client = await LonghaulClient.connect({ connection: { address: temporalAddress }, taskQueue });
  const closers: (() => Promise<void>)[] = [];
  const names = new Set<string>();
  try {
    await run({
      client,
      schedules: client.schedules,
      temporalAddress,
      name: (text) => {
        names.add(`${text}-${mark}`);
        return `${text}-${mark}`;
      },
      startWorker: async () => {
        const connection = await NativeConnection.connect({ address: temporalAddress });
        const worker = await Worker.create({
          connection,
          taskQueue,
          workflowBundle: await (bundle ??= standInBundle()),
        });
        const running = worker.run();
        closers.push(async () => {
          worker.shutdown();
          await running;
          await connection.close();
        });
      },
      spans: async (name) => {
        const spans = [];
        const query = `WorkflowId STARTS_WITH "longhaul-schedule-${name}-"`;
        for await (const { startTime, closeTime, status } of client.temporal.workflow.list({ query })) {
          const isRunning = status.name === 'RUNNING';
          spans.push({ startMs: startTime.getTime(), endMs: closeTime?.getTime() ?? Date.now(), isRunning });
        }
        return spans.toSorted((a, b) => a.startMs - b.startMs);
      },
    });
  } finally {
    for (const name of names) await client.schedules.delete(name).catch(() => {});
    for await (const { workflowId } of client.temporal.workflow.list({
      query: `TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`,
    })) {
      await client.temporal.workflow
        .getHandle(workflowId)
        .terminate('the test is over')
        .catch(() => {});
    }
    for (const close of closers) await close();
    await client.close();
  }
}
