import { appendFile, open, rename, truncate } from 'node:fs/promises';
import type { LocalApiOptions } from '../../src/local-api/index.ts';
import type { FaultSpec } from '../../src/local-api/faults.ts';
import type { FrontRule } from './sdk-front.ts';

export const MiB = 1024 * 1024;
export const PART_BYTES = 2 * MiB;
export const PARTS = 4;

/** One row of the table. The third of four parts is struck, where a part is. */
export interface SdkFault {
  readonly name: string;
  readonly api?: Partial<LocalApiOptions>;
  readonly faults?: readonly FaultSpec[];
  /** What something between the client and the API does. */
  readonly front?: FrontRule;
  /** @defaultValue the SDK's */
  readonly timeoutMs?: number;
  readonly md5?: string;
  /** Done to the file when two parts are sent. */
  readonly edit?: (path: string) => Promise<unknown>;
  /** Another client cancels the Upload after two parts. */
  readonly isCancelled?: boolean;
  /** The service stops after two parts and does not restart. */
  readonly goesAway?: boolean;
  /** The uploading process is killed when two parts are sent. */
  readonly killed?: boolean;
  /** Whether the caller then repeats the whole upload. */
  readonly again?: boolean;
}

const third = { route: 'part', skip: 2 } as const;
const isPart = (path: string) => path.endsWith('/parts');
const page = '<!doctype html><html><title>Sign in</title><body>Please sign in to the network.</body></html>';
const html: FrontRule['answer'] = { status: 200, headers: { 'content-type': 'text/html' }, body: page };

async function overwrite(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    for (let part = 0; part < PARTS; part++) await file.write('other bytes', part * PART_BYTES + 1000);
  } finally {
    await file.close();
  }
}

export const sdkFaults: readonly SdkFault[] = [
  { name: 'nothing goes wrong' },
  { name: "a part's connection is reset in the middle", faults: [{ ...third, kind: 'reset', afterBytes: MiB }] },
  { name: "a part's answer is lost", faults: [{ ...third, kind: 'lost-answer' }] },
  {
    name: "a part's answer is lost, and the service counts both",
    faults: [{ ...third, kind: 'lost-answer' }],
    api: { strictSums: true },
  },
  { name: 'one 503', faults: [{ ...third, kind: 'status', status: 503 }] },
  { name: '429 with Retry-After: 2', faults: [{ ...third, kind: 'status', status: 429, retryAfterSeconds: 2 }] },
  { name: '429 with Retry-After: 0', faults: [{ ...third, kind: 'status', status: 429, retryAfterSeconds: 0 }] },
  {
    name: '429 insufficient_quota for as long as one tries',
    faults: [{ ...third, kind: 'status', status: 429, code: 'insufficient_quota', count: 1000 }],
  },
  { name: '500 for as long as one tries', faults: [{ ...third, kind: 'status', status: 500, count: 1000 }] },
  { name: 'the service becomes unreachable', goesAway: true },
  { name: 'a part stalls', faults: [{ ...third, kind: 'stall', afterBytes: MiB }] },
  { name: "a part stalls, with the SDK's timeout set to 2 s", timeoutMs: 2000, faults: [{ ...third, kind: 'stall' }] },
  { name: '413 before the body is through', faults: [{ ...third, kind: 'status', status: 413, afterBytes: 0 }] },
  { name: '401 in the middle', faults: [{ ...third, kind: 'status', status: 401 }] },
  { name: '403 in the middle', faults: [{ ...third, kind: 'status', status: 403 }] },
  { name: 'the session expires in the middle', faults: [{ ...third, kind: 'expire' }] },
  { name: 'another client cancels the session in the middle', isCancelled: true },
  { name: "the completion's answer does not come", faults: [{ route: 'complete', kind: 'stall' }] },
  { name: "create's answer is lost", faults: [{ route: 'create', kind: 'lost-answer' }] },
  {
    name: "the completion's answer is lost; then run again",
    faults: [{ route: 'complete', kind: 'lost-answer' }],
    again: true,
  },
  { name: 'the md5 given at completion is wrong', md5: '0'.repeat(32) },
  { name: 'the file is appended to', edit: (path) => appendFile(path, 'one more line') },
  { name: 'the file is truncated', edit: (path) => truncate(path, 2.5 * PART_BYTES) },
  { name: 'the file is written to at the same size', edit: overwrite },
  { name: 'the file is moved away', edit: (path) => rename(path, `${path}.away`) },
  { name: 'the process is killed halfway, and run again', killed: true, again: true },
  { name: 'HTML with status 200, for a part', front: { matches: isPart, skip: 2, answer: html } },
  {
    name: 'HTML with status 200, for the completion',
    front: { matches: (path) => path.endsWith('/complete'), skip: 0, answer: html },
  },
  { name: 'a 200 without an id', faults: [{ ...third, kind: 'status', status: 200, body: {} }] },
  { name: 'a 307 to another host', front: { matches: isPart, skip: 2, redirectStatus: 307 } },
  { name: 'a 302 to another host', front: { matches: isPart, skip: 2, redirectStatus: 302 } },
];
