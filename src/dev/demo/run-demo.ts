import { createHash, createCipheriv, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@temporalio/client';
import type { JobHandle } from '../../client/job-handle.ts';
import type { JobEvent } from '../../client/jobs.ts';
import type { LonghaulClient } from '../../client/longhaul-client.ts';
import type { UploadResult } from '../../contracts/upload.ts';
import { formatBytes, formatDuration } from '../../core/text/format.ts';
import { createDestination } from '../../destinations/kinds.ts';
import type { LocalApi } from '../../local-api/index.ts';
import { DemoFailedError, WorkerProcess } from './worker-process.ts';

interface DemoOptions {
  readonly client: LonghaulClient;
  readonly api: LocalApi;
  readonly apiKey: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly slots: number;
  readonly file: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Creates a file in a temporary directory, and deletes it afterwards. */
export async function withDemoFile<T>(sizeBytes: number, use: (file: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-demo-'));
  try {
    const file = join(directory, 'demo.jsonl');
    await makeFile(file, sizeBytes);
    return await use(file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Uploads a file, kills the worker halfway, and resumes with another worker. Returns the checks that failed. */
export async function runDemo(options: DemoOptions): Promise<string[]> {
  const { client, api, say, file, signal } = options;
  let worker = await WorkerProcess.start(file, options.environment);
  try {
    const handle = await client.upload({ file, purpose: 'assistants', baseUrl: api.url, again: true });
    say(`started upload ${handle.workflowId} on worker ${worker.pid}`);
    try {
      return await killHalfWay(handle);
    } catch (error) {
      // Its file, service and task queue are deleted with the demo, so it could not complete.
      await client.temporal.workflow
        .getHandle(handle.workflowId)
        .terminate('the demo failed or was interrupted')
        .catch(() => {});
      throw error;
    }
  } finally {
    await worker.stop();
  }

  async function killHalfWay(handle: JobHandle<'upload'>): Promise<string[]> {
    await until(handle, signal, (event) => {
      if (event.type === 'ended') {
        throw new DemoFailedError('the upload completed before its worker was killed. Use a larger file.');
      }
      if (event.type !== 'progress') return false;
      const { partsDone, partsTotal } = event.progress;
      return partsTotal > 0 && partsDone * 2 >= partsTotal;
    });
    await worker.kill();
    const killedAtMs = Date.now();
    const recorded = await recordedParts(client.temporal, handle.workflowId);
    say(`killed worker ${worker.pid} (SIGKILL) with ${recorded} parts recorded`);

    worker = await WorkerProcess.start(file, options.environment);
    say(`started worker ${worker.pid}`);
    await until(handle, signal, async (event) => {
      if (event.type === 'progress') return event.progress.partsDone > recorded;
      return event.type === 'no-answer' && (await recordedParts(client.temporal, handle.workflowId)) > recorded;
    });
    say(`recorded the first new part ${formatDuration(Date.now() - killedAtMs)} after the kill`);

    const result = await handle.result({ signal });
    const again = result.partsSent - result.parts;
    say(
      `completed in ${formatDuration(result.durationMs)}: ${result.parts} parts, ${again} of them resent ` +
        'because they were in flight at the kill',
    );
    return checkOutcome(options, result, recorded);
  }
}

/** Follows an upload until `isReached` returns true for one of its events. */
async function until(
  handle: JobHandle<'upload'>,
  signal: AbortSignal,
  isReached: (event: JobEvent<'upload'>) => boolean | Promise<boolean>,
): Promise<void> {
  for await (const event of handle.progress({ intervalMs: 100, signal })) {
    if (await isReached(event)) return;
    const waiting = event.type === 'progress' ? event.progress.waiting : null;
    if (waiting) throw new DemoFailedError(`the upload of the demo waits: ${waiting.reason}`);
  }
  signal.throwIfAborted();
}

async function checkOutcome(options: DemoOptions, result: UploadResult, recorded: number): Promise<string[]> {
  const { api, file, say, slots } = options;
  const failed: string[] = [];
  const check = (holds: boolean, claim: string) => {
    say(`${holds ? 'PASS' : 'FAIL'}  ${claim}`);
    if (!holds) failed.push(claim);
  };

  const sent = await sha256(createReadStream(file));
  const received = await downloadedDigest(options, result.file.id);
  check(
    received === sent,
    `File ${result.file.id} has the SHA-256 digest of the source (${formatBytes(result.bytes)})`,
  );
  const uploads = Object.values(api.stats().uploads).filter(({ status }) => status === 'completed');
  check(uploads.length === 1, 'the API has exactly one completed Upload');
  const [upload] = uploads;
  check(
    recorded > 0 && recorded < result.parts,
    `the worker was killed during the upload, with ${recorded} of ${result.parts} parts recorded`,
  );
  check(
    (upload?.partsReceived ?? Infinity) <= result.parts + slots,
    `the API received ${upload?.partsReceived} parts (expected ${result.parts} to ${result.parts + slots})`,
  );
  return failed;
}

async function downloadedDigest({ api, apiKey }: DemoOptions, fileId: string): Promise<string> {
  const destination = createDestination({ name: 'demo', baseUrl: api.url, apiKey });
  try {
    return await sha256(await destination.files.read(fileId));
  } finally {
    await destination.close();
  }
}

async function sha256(stream: NodeJS.ReadableStream): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(stream, hash);
  return hash.digest('hex');
}

/** Returns the number of parts whose IDs are in the workflow history, which is readable without a worker. */
async function recordedParts(client: Client, workflowId: string): Promise<number> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const scheduled = new Set<string>();
  let recorded = 0;
  for (const {
    eventId,
    activityTaskScheduledEventAttributes: begun,
    activityTaskCompletedEventAttributes: done,
  } of events ?? []) {
    if (begun?.activityType?.name === 'uploadPart') scheduled.add(String(eventId));
    if (done && scheduled.has(String(done.scheduledEventId))) recorded++;
  }
  return recorded;
}

const CHUNK_BYTES = 1024 * 1024;

/** Writes a file whose parts all differ: the key stream of a cipher, which is faster than random numbers. */
async function makeFile(path: string, sizeBytes: number): Promise<void> {
  const stream = createCipheriv('aes-256-ctr', randomBytes(32), randomBytes(16));
  const zeros = Buffer.alloc(CHUNK_BYTES);
  const file = await open(path, 'w');
  try {
    for (let written = 0; written < sizeBytes;) {
      const chunk = stream.update(zeros.subarray(0, Math.min(CHUNK_BYTES, sizeBytes - written)));
      // On a nearly full disk, `write` can write a part of the chunk.
      await file.writeFile(chunk);
      written += chunk.length;
    }
  } catch (error) {
    // The error of an open file has no path.
    throw Object.assign(error as Error, { path });
  } finally {
    await file.close();
  }
}
