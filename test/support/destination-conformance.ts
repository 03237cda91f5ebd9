import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Destination, DestinationOptions, Gate, Part } from '../../src/destinations/port.ts';
import { AbortedError, ApiError, ConnectionError, SourceChangedError } from '../../src/errors.ts';
import { memoryReader } from './memory-reader.ts';

/** A service that a kind of destination uses, with at most one key. */
export interface TestedService {
  readonly key: string;
  /** @param key another one than that of the service @defaultValue that of the service */
  connect(options?: DestinationOptions, key?: string): Destination;
  /** Nothing responds at its address afterwards. */
  stop(): Promise<void>;
}

export type WithService = (body: (service: TestedService) => Promise<void>) => Promise<void>;

const KiB = 1024;
const purpose = 'assistants';
/** Statuses that the activities recognise as the end of a session. */
const ENDED = [400, 404, 409, 410];

/** What the activities require of a destination of any kind. */
export function describeDestination(kind: string, withService: WithService): void {
  const withDestination = (body: (destination: Destination, service: TestedService) => Promise<void>) =>
    withService(async (service) => {
      const destination = service.connect();
      try {
        await body(destination, service);
      } finally {
        await destination.close();
      }
    });

  describe(`a destination of the kind ${kind}`, () => {
    it('creates a File from parts that arrive in any order, with the MD5 of the content', () =>
      withDestination(async (destination) => {
        const content = randomBytes(900 * KiB + 13);
        const before = Math.floor(Date.now() / 1000) - 5;
        const session = await destination.open(newFile(content));
        const { sessionSeconds, maxFileBytes } = destination.limits(purpose);
        expect(maxFileBytes).toBeGreaterThan(content.byteLength);
        expect(session.createdAt).toBeGreaterThanOrEqual(before);
        expect(session.expiresAt - session.createdAt).toBe(sessionSeconds);
        const cuts = [0, 300 * KiB, 301 * KiB, content.byteLength];
        const partIds = ['', '', ''];
        for (const index of [2, 0, 1]) {
          const sent = await destination.send(session.uploadId, part(content, cuts[index], cuts[index + 1], index + 1));
          partIds[index] = sent.partId;
        }
        expect(new Set(partIds).size).toBe(3);
        const md5 = createHash('md5').update(content).digest('hex');
        const created = await destination.complete(session.uploadId, { partIds, md5, file: facts(content) });
        expect(created).toMatchObject({ bytes: content.byteLength, filename: 'a.jsonl', purpose });
        expect((await read(destination, created.id)).equals(content)).toBe(true);
      }));

    it('rejects a second completion, and keeps the File', () =>
      withDestination(async (destination) => {
        const { uploadId, fileId, completion, content } = await upload(destination);
        expect(await statusOf(destination.complete(uploadId, completion))).toBeOneOf(ENDED);
        expect(await read(destination, fileId)).toEqual(content);
      }));

    it('rejects an incorrect MD5 with an ApiError', () =>
      withDestination(async (destination) => {
        const content = randomBytes(10);
        const { uploadId } = await destination.open(newFile(content));
        const { partId } = await destination.send(uploadId, part(content));
        const completion = { partIds: [partId], md5: '0'.repeat(32), file: facts(content) };
        expect(await statusOf(destination.complete(uploadId, completion))).toBe(400);
      }));

    it('cancels a session, which then accepts neither parts nor a completion', () =>
      withDestination(async (destination) => {
        const content = randomBytes(10);
        const { uploadId } = await destination.open(newFile(content));
        const { partId } = await destination.send(uploadId, part(content));
        expect((await destination.cancel(uploadId)).status ?? 'cancelled').toBe('cancelled');
        expect(await statusOf(destination.send(uploadId, part(content)))).toBeOneOf(ENDED);
        const completion = { partIds: [partId], file: facts(content) };
        expect(await statusOf(destination.complete(uploadId, completion))).toBeOneOf(ENDED);
        expect((await destination.files.list({ purpose })).files).toEqual([]);
        expect(await statusOf(destination.send('upload_unknown', part(content)))).toBe(404);
      }));

    it('lists, retrieves, reads and removes Files', () =>
      withDestination(async (destination) => {
        const { files } = destination;
        const ids = [];
        for (let index = 0; index < 3; index++) ids.push((await upload(destination)).fileId);
        const first = await files.list({ purpose, limit: 2, order: 'asc' });
        expect(first).toMatchObject({ hasMore: true, unreadable: [] });
        const rest = await files.list({ purpose, order: 'asc', after: first.nextAfter });
        expect([...first.files, ...rest.files].map(({ id }) => id)).toEqual(ids);
        expect((await files.list({ purpose: 'vision' })).files).toEqual([]);
        expect(await files.retrieve(ids[0] ?? '')).toEqual(first.files[0]);
        await files.remove(ids[0] ?? '');
        expect(await statusOf(files.retrieve(ids[0] ?? ''))).toBe(404);
        expect(await statusOf(files.read(ids[0] ?? ''))).toBe(404);
        expect(await statusOf(files.remove(ids[0] ?? ''))).toBe(404);
      }));

    it('waits at the gate, and reports each part to the gate and to its listeners', () =>
      withService(async (service) => {
        const events: string[] = [];
        const gate: Gate = {
          enterPart: async () => {
            events.push('enter');
            return { moved: () => {}, finished: (error) => events.push(error ? 'failed' : 'finished') };
          },
          enterRequest: async () => void events.push('request'),
          bytes: () => void events.push('bytes'),
        };
        const destination = service.connect({ gate, watch: { opened: () => events.push('opened') } });
        try {
          const content = randomBytes(600 * KiB);
          const { uploadId } = await destination.open(newFile(content));
          const totals: number[] = [];
          const reads: number[] = [];
          const listener = {
            moved: (bytes: number) => totals.push(bytes),
            responded: () => events.push('responded'),
            read: (bytes: number) => reads.push(bytes),
          };
          await destination.send(uploadId, { ...part(content), listeners: [undefined, listener] });
          expect([totals[0], totals.at(-1)]).toEqual([0, content.byteLength]);
          expect(totals).toEqual(totals.toSorted((a, b) => a - b));
          expect(reads.reduce((sum, bytes) => sum + bytes, 0)).toBe(content.byteLength);
          await destination.files.list();
          await destination.send('upload_unknown', part(content)).catch(() => {});
          const once = (name: string) => events.filter((event) => event === name).length;
          expect(events.slice(0, 2)).toEqual(['opened', 'enter']);
          expect(['opened', 'enter', 'responded', 'finished', 'failed', 'request'].map(once)).toEqual([
            1, 2, 1, 1, 1, 1,
          ]);
          expect(once('bytes')).toBeGreaterThanOrEqual(2);
        } finally {
          await destination.close();
        }
      }));

    it('fails a part whose source is too short, and can resend it', () =>
      withDestination(async (destination) => {
        const content = randomBytes(10);
        const { uploadId } = await destination.open(newFile(content));
        const short = { ...part(content), reader: memoryReader(content.subarray(0, 9)) };
        await expect(destination.send(uploadId, short)).rejects.toThrow(SourceChangedError);
        const { partId } = await destination.send(uploadId, part(content));
        expect(await destination.complete(uploadId, { partIds: [partId], file: facts(content) })).toMatchObject({
          bytes: 10,
        });
      }));

    it('rejects aborted calls with AbortedError, and sends nothing', () =>
      withDestination(async (destination) => {
        const content = randomBytes(600 * KiB);
        const { uploadId } = await destination.open(newFile(content));
        const totals: number[] = [];
        const listeners = [{ moved: (bytes: number) => totals.push(bytes) }];
        const aborted = { signal: AbortSignal.abort() };
        await expect(destination.send(uploadId, { ...part(content), listeners }, aborted)).rejects.toThrow(
          AbortedError,
        );
        expect(Math.max(0, ...totals)).toBe(0);
        const stop = new AbortController();
        const reader = memoryReader(content, {
          beforeRead: (offset) => (offset > 0 ? new Promise(() => {}) : undefined),
        });
        const sending = destination.send(uploadId, { ...part(content), reader }, { signal: stop.signal });
        setImmediate(() => stop.abort());
        await expect(sending).rejects.toThrow(AbortedError);
        await expect(destination.open(newFile(content), aborted)).rejects.toThrow(AbortedError);
        await expect(destination.files.list({}, aborted)).rejects.toThrow(AbortedError);
      }));

    it('reports 401 for a rejected key and ConnectionError for an unavailable service', () =>
      withDestination(async (right, service) => {
        const wrong = service.connect({}, 'sk-wrong-0123456789');
        const errors: unknown[] = [];
        const note = (error: unknown) => void errors.push(error);
        await wrong.open(newFile(randomBytes(1))).catch(note);
        await wrong.close();
        await service.stop();
        await right.open(newFile(randomBytes(1))).catch(note);
        expect(errors[0]).toMatchObject({ details: { status: 401 } });
        expect(errors[1]).toBeInstanceOf(ConnectionError);
        const shown = [errors, right, wrong]
          .map((value) => inspect(value, { depth: 9 }) + JSON.stringify(value))
          .join('\n');
        for (const key of [service.key, 'sk-wrong-0123456789']) expect(shown).not.toContain(key);
      }));
  });
}

const newFile = (content: Buffer) => ({
  filename: 'a.jsonl',
  purpose,
  bytes: content.byteLength,
  mimeType: 'application/jsonl',
});
const facts = ({ byteLength: bytes }: Buffer) => ({ bytes, createdAt: 1, filename: 'a.jsonl', purpose });
const part = (content: Buffer, from = 0, to = content.byteLength, partNumber = 1): Part => ({
  partNumber,
  reader: memoryReader(content),
  offsetBytes: from,
  sizeBytes: to - from,
});

async function upload(destination: Destination) {
  const content = randomBytes(10);
  const { uploadId } = await destination.open(newFile(content));
  const { partId } = await destination.send(uploadId, part(content));
  const completion = { partIds: [partId], file: facts(content) };
  const { id: fileId } = await destination.complete(uploadId, completion);
  return { uploadId, fileId, completion, content };
}

async function read(destination: Destination, fileId: string): Promise<Buffer> {
  return Buffer.concat((await (await destination.files.read(fileId)).toArray()) as Buffer[]);
}

/** The status of the rejection. */
async function statusOf(call: Promise<unknown>): Promise<number> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error.details.status;
  throw new Error('the call was not rejected with an ApiError', { cause: error });
}
