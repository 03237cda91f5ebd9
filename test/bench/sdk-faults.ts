/**
 * What the official `openai` client for Node does at each fault, measured against the local API:
 *
 *   node --import tsx test/bench/sdk-faults.ts
 *
 * It prints a Markdown table. The client has its default settings: `maxRetries` 2, `timeout` ten minutes. A diagnostics
 * channel of Node.js counts the requests of parts in this process, so that no code of the client is replaced. The program
 * takes one to two minutes, with files of 8 MiB.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { VERSION } from 'openai/version';
import { startLocalApi, type LocalApi } from '../../src/local-api/index.ts';
import { until } from '../support/until.ts';
import { MiB, PART_BYTES, PARTS, sdkFaults, type SdkFault } from './sdk-fault-list.ts';
import { startFront, type Front } from './sdk-front.ts';
import { uploadWithSdk, type SdkUpload, type Way } from './sdk-upload.ts';

/** Longer than all that the SDK waits between tries. A stall ends after five minutes, by a limit of Node's `fetch`. */
const PATIENCE_MS = 8000;

/** By origin, because an abandoned request can continue during the next fault. */
const partRequests = new Map<string, number>();
subscribe('undici:request:create', (message) => {
  const { request } = message as { readonly request: { readonly origin: string; readonly path: string } };
  const { origin, path } = request;
  if (path.endsWith('/parts')) partRequests.set(origin, (partRequests.get(origin) ?? 0) + 1);
});

const [command, plan] = process.argv.slice(2);
if (command === 'upload') await uploadWithSdk(JSON.parse(plan ?? '') as SdkUpload);
else await printTable();

async function printTable(): Promise<void> {
  console.log(
    `openai ${VERSION} (npm), Node ${process.version}, ${PARTS} parts of ${PART_BYTES / MiB} MiB, in order\n`,
  );
  console.log('| fault | part given as a stream | part given as a Buffer |\n| --- | --- | --- |');
  for (const fault of sdkFaults) {
    const cells = [await measure(fault, 'stream'), await measure(fault, 'Buffer')];
    console.log(`| ${fault.name} | ${cells.join(' | ')} |`);
  }
}

async function measure(fault: SdkFault, way: Way): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-sdk-'));
  const api = await startLocalApi({ dataDir: join(directory, 'api'), ...fault.api });
  const front = fault.front && (await startFront(api.port, fault.front));
  const path = join(directory, 'train.jsonl');
  const before = randomBytes(PARTS * PART_BYTES);
  await writeFile(path, before);
  for (const spec of fault.faults ?? []) api.faults.add(spec);
  const afterPart = async (partNumber: number) => {
    if (partNumber !== 2) return;
    await fault.edit?.(path);
    if (fault.isCancelled) await cancelSession(api);
    if (fault.goesAway) await api.close();
  };
  const baseUrl = front?.url ?? api.url;
  const { timeoutMs, md5 } = fault;
  const { origin } = new URL(baseUrl);
  partRequests.delete(origin);
  const upload: SdkUpload = { baseUrl, path, way, partSizeBytes: PART_BYTES, timeoutMs, md5, afterPart };
  try {
    const first = fault.killed ? await killedHalfWay(api, upload) : await ending(api, upload, before);
    const facts = [
      first,
      ...(fault.killed ? [] : [`${partRequests.get(origin) ?? 0} part requests`]),
      ...redirected(front),
    ];
    if (fault.again) {
      api.faults.clear();
      facts.push(`again: ${await ending(api, upload, before)}`, ...leftAfterAll(api));
    }
    return [...facts, ...sessionsLeft(api)].join('; ');
  } finally {
    await front?.close();
    await api.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function cancelSession(api: LocalApi): Promise<void> {
  const headers = { authorization: 'Bearer sk-local' };
  await fetch(`${api.url}/uploads/${api.stats().uploads[0]?.id}/cancel`, { method: 'POST', headers });
}

/** How the upload ended, as its caller sees it, and whether that is true. */
async function ending(api: LocalApi, upload: SdkUpload, before: Buffer): Promise<string> {
  const startedAtMs = performance.now();
  const work = uploadWithSdk(upload).then(
    (fileId) => ({ fileId, error: undefined }),
    (error: unknown) => ({ fileId: undefined, error: error as Error }),
  );
  const timer = new AbortController();
  const timeUp = sleep(PATIENCE_MS, 'time is up', { signal: timer.signal }).catch(() => 'time is up');
  const result = await Promise.race([work, timeUp]);
  timer.abort();
  if (typeof result === 'string') return `no end within ${PATIENCE_MS / 1000} s`;
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  if (result.error) return `\`${result.error.constructor.name}\` "${short(result.error.message)}" after ${seconds} s`;
  if (result.fileId === undefined) return 'reports success, without a File';
  return `${await judge(api, result.fileId, upload.path, before)} after ${seconds} s`;
}

async function judge(api: LocalApi, fileId: string, path: string, before: Buffer): Promise<string> {
  const answer = await fetch(`${api.url}/files/${fileId}/content`, { headers: { authorization: 'Bearer sk-local' } });
  const content = digest(Buffer.from(await answer.arrayBuffer()));
  const after = digest(await readFile(path));
  if (content === after) return 'the right File';
  return content === digest(before) ? 'a File of the old content, nothing said' : 'A WRONG FILE, nothing said';
}

/** The same upload in a separate process, which is killed after two parts are stored. */
async function killedHalfWay(api: LocalApi, upload: SdkUpload): Promise<string> {
  api.configure({ bandwidthBytesPerSecond: 2 * MiB });
  const script = fileURLToPath(import.meta.url);
  const args = ['--import', 'tsx', script, 'upload', JSON.stringify(upload)];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    await until(() => api.stats().totals.partsReceived >= PARTS / 2, 'half of the parts');
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
  api.configure({ bandwidthBytesPerSecond: null });
  return `killed with ${api.stats().totals.partsReceived} of ${PARTS} parts stored`;
}

function redirected(front: Front | undefined): string[] {
  return (front?.elsewhere ?? []).map(
    ({ method, bodyBytes, hasKey }) =>
      `followed: ${method} with ${(bodyBytes / MiB).toFixed(1)} MiB and ${hasKey ? 'the key' : 'no key'} to the other host`,
  );
}

function leftAfterAll(api: LocalApi): string[] {
  const { uploads, totals } = api.stats();
  const sent = (totals.bytesReceived / (PARTS * PART_BYTES)).toFixed(1);
  const files = uploads.filter(({ fileId }) => fileId !== null).length;
  return [`${sent} times the file's bytes in all`, `${files} File${files === 1 ? '' : 's'}`];
}

function sessionsLeft(api: LocalApi): string[] {
  const open = api.stats().uploads.filter(({ status }) => status === 'pending').length;
  return open === 0 ? [] : [`${open} session${open === 1 ? '' : 's'} left open`];
}

function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** In one line that fits into a table, without what differs from run to run. */
function short(message: string): string {
  const line = message
    .replaceAll(/\s+/g, ' ')
    .replaceAll('|', '/')
    .replaceAll(/'\/\S*\/([^/']+)'/g, '$1')
    .replaceAll(/(upload|part)_\w{8,}/g, '$1_…')
    .replaceAll(/[0-9a-f]{32}/g, 'MD5');
  return line.length > 90 ? `${line.slice(0, 90)}…` : line;
}
