import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SourceChangedError, SourceReadError } from '../../../../src/errors.ts';
import { BUFFER_BYTES, BufferPool } from '../../../../src/destinations/http/buffer-pool.ts';
import {
  createMultipartPart,
  MIN_REUSED_CHUNK_BYTES,
  type MultipartPart,
} from '../../../../src/destinations/http/multipart-part.ts';
import { expectedPartBody } from '../../../support/capture-server.ts';
import { memoryReader } from '../../../support/memory-reader.ts';

const KiB = 1024;

/**
 * Reads the body as undici does with a slow socket: it waits for each chunk of 64 KiB or more, and reads it immediately
 * before it requests the next one. It keeps the reference to a smaller chunk until the socket writes it, here at the end.
 */
async function takeLikeUndici(part: MultipartPart): Promise<() => Buffer> {
  const taken: Uint8Array[] = [];
  let unread: Uint8Array | undefined;
  const takeUnread = () => {
    if (unread) taken.push(unread.byteLength < MIN_REUSED_CHUNK_BYTES ? unread : Uint8Array.from(unread));
    unread = undefined;
  };
  const iterator = part.body[Symbol.asyncIterator]();
  for (;;) {
    takeUnread();
    const { done, value } = await iterator.next();
    if (done) break;
    unread = value;
    // The socket is busy for a while, and reading ahead continues.
    await setImmediate();
  }
  return () => Buffer.concat(taken);
}

/** Buffers of a pool lie one behind the other in the same memory. */
const placeOf = (buffer: Uint8Array) => buffer.byteOffset;

/** As the next parts would. */
function overwriteIdleBuffers(pool: BufferPool): void {
  for (let taken = 0; taken < 16; taken++) pool.take().fill(0);
}

function expected(part: MultipartPart, content: Uint8Array): Buffer {
  return expectedPartBody({ headers: { 'content-type': part.contentType } }, content);
}

describe('createMultipartPart', () => {
  test('sends exactly the bytes of any range, with reads of any length and shared buffers', async () => {
    const content = randomBytes(1800 * KiB);
    const range = fc.tuple(fc.nat(200 * KiB), fc.nat(1600 * KiB), fc.integer({ min: 1, max: 700 * KiB }));
    await fc.assert(
      fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 4 }), async (ranges) => {
        const pool = new BufferPool();
        const bodies = await Promise.all(
          ranges.map(async ([offsetBytes, sizeBytes, longestRead]) => {
            let turn = 0;
            const reader = memoryReader(content, {
              nextReadBytes: () => 1 + ((++turn * 7919) % longestRead) + 4 * KiB,
            });
            const part = createMultipartPart({ reader, offsetBytes, sizeBytes }, pool);
            const body = await takeLikeUndici(part);
            return { body, part, wanted: content.subarray(offsetBytes, offsetBytes + sizeBytes) };
          }),
        );
        overwriteIdleBuffers(pool);
        for (const { body, part, wanted } of bodies) {
          expect(body().equals(expected(part, wanted))).toBe(true);
          expect(body().byteLength).toBe(part.contentLength);
          expect(part.isSent()).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    0,
    1,
    64 * KiB - 1,
    64 * KiB,
    64 * KiB + 1,
    512 * KiB,
    512 * KiB + 1,
    576 * KiB - 1,
    1024 * KiB,
    1025 * KiB,
  ])('sends exactly the %i bytes of a part, and reports its progress', async (sizeBytes) => {
    const content = randomBytes(sizeBytes);
    const pool = new BufferPool();
    const totals: number[] = [];
    const part = createMultipartPart(
      { reader: memoryReader(content), offsetBytes: 0, sizeBytes, onBytesSent: (total) => totals.push(total) },
      pool,
    );
    const body = await takeLikeUndici(part);
    overwriteIdleBuffers(pool);
    expect(body().equals(expected(part, content))).toBe(true);
    expect(totals.at(-1)).toBe(sizeBytes);
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
  });

  test('returns both buffers only after a pending read has completed', async () => {
    const pool = new BufferPool();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const reader = memoryReader(randomBytes(2048 * KiB), { beforeRead: (offset) => (offset > 0 ? held : undefined) });
    const part = createMultipartPart({ reader, offsetBytes: 0, sizeBytes: 2048 * KiB }, pool);
    const iterator = part.body[Symbol.asyncIterator]();
    await iterator.next();
    const first = await iterator.next();
    const ended = iterator.return?.();
    await setImmediate();
    const meanwhile = [pool.take(), pool.take()];
    expect(meanwhile.map(placeOf)).not.toContain(placeOf(first.value as Uint8Array));
    release();
    await ended;
    expect([pool.take(), pool.take()].map(placeOf)).toContain(placeOf(first.value as Uint8Array));
  });

  test('allocates no buffer before its first chunk is requested', () => {
    const pool = new BufferPool();
    const buffer = pool.take();
    pool.give(buffer);
    createMultipartPart({ reader: memoryReader(randomBytes(10)), offsetBytes: 0, sizeBytes: 10 }, pool);
    expect(pool.take()).toBe(buffer);
  });

  test('rejects with SourceChangedError if the source is shorter than the range', async () => {
    const reader = memoryReader(randomBytes(600 * KiB));
    const part = createMultipartPart({ reader, offsetBytes: 0, sizeBytes: 900 * KiB }, new BufferPool());
    await expect(takeLikeUndici(part)).rejects.toThrow(SourceChangedError);
    expect(part.isSent()).toBe(false);
  });

  test('rejects with SourceReadError if a read fails, also while the socket is busy', async () => {
    const reader = memoryReader(randomBytes(2048 * KiB), {
      beforeRead: (offset) => (offset > 0 ? Promise.reject(new Error('EIO: i/o error')) : undefined),
    });
    const part = createMultipartPart({ reader, offsetBytes: 0, sizeBytes: 2048 * KiB }, new BufferPool());
    await expect(takeLikeUndici(part)).rejects.toThrow(SourceReadError);
  });

  test('uses a different boundary for each part', () => {
    const part = () =>
      createMultipartPart({ reader: memoryReader(randomBytes(1)), offsetBytes: 0, sizeBytes: 1 }, new BufferPool());
    expect(part().contentType).not.toBe(part().contentType);
  });

  test('waits for the rate limit before each chunk, and sends nothing after it is aborted', async () => {
    const content = randomBytes(700 * KiB);
    const asked: number[] = [];
    const turns: (() => void)[] = [];
    const pace = (bytes: number) => {
      asked.push(bytes);
      return new Promise<void>((resolve) => void turns.push(resolve));
    };
    const range = { reader: memoryReader(content), offsetBytes: 0, sizeBytes: content.byteLength };
    const part = createMultipartPart({ ...range, pace }, new BufferPool());
    const chunks = part.body[Symbol.asyncIterator]();
    await chunks.next();
    const first = chunks.next();
    await setImmediate();
    await setImmediate();
    expect(asked).toEqual([BUFFER_BYTES]);
    turns.shift()?.();
    expect(content.subarray(0, BUFFER_BYTES).equals((await first).value as Uint8Array)).toBe(true);
    const second = chunks.next();
    part.stop();
    while (turns.length === 0) await setImmediate();
    turns.shift()?.();
    expect((await second).done).toBe(true);
  });
});
