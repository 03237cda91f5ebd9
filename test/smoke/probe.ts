import { createHash, randomUUID } from 'node:crypto';
import type { Destination, Part } from '../../src/destinations/port.ts';
import { ApiError } from '../../src/errors.ts';
import { memoryReader } from '../support/memory-reader.ts';

/** One fact about a service. */
export interface Finding {
  readonly assumption: string;
  /** What the service did. */
  readonly found: string;
  /** `differs`: Longhaul supports it. `fault`: Longhaul cannot work with it. */
  readonly verdict: 'as assumed' | 'differs' | 'fault' | 'unknown';
}

const KiB = 1024;
/** Longer than this, and the lookup after a lost completion response can miss the File. */
const MAX_LIST_LAG_MS = 60_000;
const UNKNOWN_BYTES = -1;
const READ_TIMEOUT_MS = 60_000;

/**
 * Creates two Files, one of 64 KiB and one of three parts, finds out how the service handles what its documents leave open,
 * and removes the Files.
 *
 * @throws LonghaulError if one of the usual steps fails
 */
export async function probe(destination: Destination, purpose: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const created: string[] = [];
  const probes = { destination, purpose, created, note: (finding: Finding) => void findings.push(finding) };
  try {
    await probeOnePart(probes);
    await probeThreeParts(probes);
  } finally {
    for (const id of created) {
      const removed = await outcomeOf(destination.files.remove(id));
      findings.push({
        assumption: `File ${id} can be removed`,
        found: removed.text,
        verdict: removed.isSuccess ? 'as assumed' : 'differs',
      });
    }
  }
  return findings;
}

interface Probes {
  readonly destination: Destination;
  readonly purpose: string;
  /** IDs of the Files to remove. */
  readonly created: string[];
  readonly note: (finding: Finding) => void;
}

/** The letter case of the MD5, a second completion, `bytes`, the content, the list. */
async function probeOnePart({ destination, purpose, created, note }: Probes): Promise<void> {
  const content = jsonLines(64 * KiB);
  const session = await openSession(destination, content, purpose);
  const lifetimeSeconds = session.expiresAt - session.createdAt;
  const { sessionSeconds } = destination.limits(purpose);
  note({
    assumption: `a session lasts ${sessionSeconds} s`,
    found: `${lifetimeSeconds} s`,
    verdict: lifetimeSeconds === sessionSeconds ? 'as assumed' : 'differs',
  });
  const { partId } = await destination
    .send(session.uploadId, partOf(content, 0, content.length))
    .catch(async (error: unknown) => {
      await destination.cancel(session.uploadId).catch(() => {});
      throw error;
    });
  const complete = (md5: string) =>
    destination.complete(session.uploadId, { partIds: [partId], md5, file: factsOf(session) });

  const wrong = await outcomeOf(complete('0'.repeat(32)));
  if (wrong.value) created.push(wrong.value.id);
  note({
    assumption: 'an incorrect MD5 is rejected',
    found: wrong.text,
    verdict: wrong.isSuccess ? 'fault' : 'as assumed',
  });
  const upper = wrong.isSuccess ? wrong : await outcomeOf(complete(md5Of(content).toUpperCase()));
  if (!wrong.isSuccess) {
    note({
      assumption: 'the MD5 is lower-case hex (Longhaul sends it so)',
      found: upper.isSuccess ? 'upper case is also accepted' : `upper case is rejected: ${upper.text}`,
      verdict: 'as assumed',
    });
  }
  const lower = upper.isSuccess ? upper : await outcomeOf(complete(md5Of(content)));
  if (!lower.value) {
    note({ assumption: 'the MD5 in lower case is accepted', found: lower.text, verdict: 'fault' });
    await destination.cancel(session.uploadId).catch(() => {});
    return;
  }
  const file = lower.value;
  if (!created.includes(file.id)) created.push(file.id);
  note({
    assumption: '`bytes` in the response to the completion is a number (null is supported)',
    found: file.bytes === UNKNOWN_BYTES ? 'null or missing' : String(file.bytes),
    verdict: file.bytes === UNKNOWN_BYTES ? 'differs' : file.bytes === content.length ? 'as assumed' : 'fault',
  });

  const again = await outcomeOf(complete(md5Of(content)));
  note({
    assumption: 'a second completion is rejected with 400, 404, 409 or 410',
    found: again.text,
    verdict: [400, 404, 409, 410].includes(again.status ?? 0) ? 'as assumed' : 'differs',
  });
  note(await listing(destination, purpose, file.id));
  note(await contentOf(destination, file.id, content));
}

/** Parts in any order, and a part that is sent twice. */
async function probeThreeParts(probes: Probes): Promise<void> {
  const { note } = probes;
  const outcome = await sendThreeParts(probes, true);
  note({
    assumption: 'a part that is sent twice is counted once, if the completion names one of the two',
    found: outcome.text,
    verdict: outcome.isSuccess ? 'as assumed' : 'differs',
  });
  if (outcome.isSuccess) return;
  const without = await sendThreeParts(probes, false);
  if (!without.isSuccess) note({ assumption: 'three parts become one File', found: without.text, verdict: 'fault' });
}

async function sendThreeParts({ destination, purpose, created, note }: Probes, sendsTwice: boolean) {
  const sizeBytes = 64 * KiB;
  const content = jsonLines(3 * sizeBytes);
  const session = await openSession(destination, content, purpose);
  const send = (index: number) =>
    destination.send(session.uploadId, partOf(content, index * sizeBytes, sizeBytes, index + 1));
  const outcome = await outcomeOf(
    (async () => {
      const ids = new Map<number, string>();
      for (const index of [2, 0, 1, ...(sendsTwice ? [1] : [])]) ids.set(index, (await send(index)).partId);
      const partIds = [0, 1, 2].map((index) => ids.get(index) as string);
      return destination.complete(session.uploadId, { partIds, md5: md5Of(content), file: factsOf(session) });
    })(),
  );
  if (!outcome.value) {
    await destination.cancel(session.uploadId).catch(() => {});
    return outcome;
  }
  created.push(outcome.value.id);
  const { found, verdict } = await contentOf(destination, outcome.value.id, content);
  note({
    assumption: 'the content has the order of the completion, not of the arrival',
    found: verdict === 'as assumed' ? 'yes' : found,
    verdict,
  });
  return outcome;
}

async function listing(destination: Destination, purpose: string, fileId: string): Promise<Finding> {
  const startMs = Date.now();
  const assumption = 'the files list contains a new File immediately (a delay is supported)';
  for (;;) {
    const { files } = await destination.files.list({ purpose, order: 'desc' });
    const lagMs = Date.now() - startMs;
    if (files.some(({ id }) => id === fileId)) {
      const isLate = lagMs > 5000;
      return { assumption, found: isLate ? `after ${lagMs} ms` : 'yes', verdict: isLate ? 'differs' : 'as assumed' };
    }
    if (lagMs > MAX_LIST_LAG_MS) return { assumption, found: `not within ${lagMs} ms`, verdict: 'fault' };
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function contentOf(destination: Destination, fileId: string, content: Buffer): Promise<Finding> {
  const assumption = 'the content can be read immediately (the lookup after a lost response compares its MD5)';
  const outcome = await outcomeOf(
    (async () => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of await destination.files.read(fileId, { timeoutMs: READ_TIMEOUT_MS })) {
        chunks.push(chunk as Buffer);
        bytes += (chunk as Buffer).length;
        // It can be endless.
        if (bytes > content.length) break;
      }
      return Buffer.concat(chunks);
    })(),
  );
  if (!outcome.value) return { assumption, found: outcome.text, verdict: 'differs' };
  const isEqual = outcome.value.equals(content);
  return { assumption, found: isEqual ? 'yes' : 'other bytes', verdict: isEqual ? 'as assumed' : 'fault' };
}

interface Outcome<T> {
  readonly isSuccess: boolean;
  readonly value?: T;
  /** Undefined without a response of the service. */
  readonly status?: number;
  readonly text: string;
}

async function outcomeOf<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { isSuccess: true, value: await call, text: 'accepted' };
  } catch (error) {
    if (!(error instanceof ApiError)) return { isSuccess: false, text: (error as Error).message };
    const { status, apiMessage } = error.details;
    return { isSuccess: false, status, text: `${status}${apiMessage === undefined ? '' : `, ${apiMessage}`}` };
  }
}

function openSession(destination: Destination, content: Buffer, purpose: string) {
  const filename = `longhaul-smoke-${randomUUID()}.jsonl`;
  return destination
    .open({ filename, purpose, bytes: content.length, mimeType: 'application/jsonl' })
    .then((session) => ({ ...session, filename, purpose }));
}

function factsOf(session: { createdAt: number; filename: string; purpose: string }) {
  const { createdAt, filename, purpose } = session;
  // Shows whether the service reports the size.
  return { bytes: UNKNOWN_BYTES, createdAt, filename, purpose };
}

function partOf(content: Buffer, offsetBytes: number, sizeBytes: number, partNumber = 1): Part {
  return { reader: memoryReader(content), offsetBytes, sizeBytes, partNumber };
}

function md5Of(content: Buffer): string {
  return createHash('md5').update(content).digest('hex');
}

/** Valid requests of a batch, because some services read the lines. */
function jsonLines(sizeBytes: number): Buffer {
  const lines: string[] = [];
  let left = sizeBytes;
  while (left > 0) {
    const request = {
      custom_id: randomUUID(),
      method: 'POST',
      url: '/v1/embeddings',
      body: { model: 'text-embedding-3-small', input: '' },
    };
    const emptyBytes = JSON.stringify(request).length + 1;
    const lineBytes = left < 2 * 1024 ? left : 1024;
    request.body.input = 'x'.repeat(lineBytes - emptyBytes);
    lines.push(JSON.stringify(request));
    left -= lineBytes;
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}
