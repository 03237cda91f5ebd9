import { randomBytes } from 'node:crypto';
import { LonghaulError, SourceChangedError, SourceReadError } from '../../errors.ts';
import type { SourceReader } from '../../sources/source-reader.ts';
import { BUFFER_BYTES, type BufferPool } from './buffer-pool.ts';

/**
 * A chunk of a reused buffer must be at least as long as the socket's high-water mark (64 KiB, with TLS 16 KiB): only
 * then does undici wait until the socket has accepted all of it before it requests the next chunk. With shorter chunks, the buffer would be filled
 * again, or used by another part, while the socket still sends from it.
 */
export const MIN_REUSED_CHUNK_BYTES = 64 * 1024;

/** Resolves when the bytes can be sent; undefined: immediately. */
export type Pace = (bytes: number) => Promise<unknown> | undefined;

export interface PartContent {
  readonly reader: SourceReader;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Called with the bytes of the part that the socket has accepted so far. */
  readonly onBytesSent?: ((totalBytes: number) => void) | undefined;
  readonly pace?: Pace | undefined;
}

export interface MultipartPart {
  readonly contentType: string;
  readonly contentLength: number;
  readonly body: AsyncIterable<Uint8Array>;
  /** Whether the last byte was passed on. An earlier success is invalid. */
  readonly isSent: () => boolean;
  /** Nothing is read or sent after the call, regardless of the reader. */
  readonly stop: () => void;
}

/** `multipart/form-data` with the one field `data`, which is streamed out of two reused buffers. */
export function createMultipartPart(content: PartContent, pool: BufferPool): MultipartPart {
  const boundary = `longhaul-${randomBytes(18).toString('hex')}`;
  const head = Buffer.from(
    `--${boundary}\r\n` +
      'Content-Disposition: form-data; name="data"; filename="part"\r\n' +
      'Content-Type: application/octet-stream\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const state: SendState = { isSent: false, isStopped: false };
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: head.byteLength + content.sizeBytes + tail.byteLength,
    body: streamPart({ content, head, tail, pool, state }),
    isSent: () => state.isSent,
    stop: () => {
      state.isStopped = true;
    },
  };
}

interface SendState {
  isSent: boolean;
  isStopped: boolean;
}

interface StreamInput {
  readonly content: PartContent;
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly pool: BufferPool;
  readonly state: SendState;
}

/**
 * Reads into one buffer while the socket accepts the other. Requirements of undici:
 * - It requests the next chunk when the socket has accepted all of the last one (see MIN_REUSED_CHUNK_BYTES), so a
 *   buffer is free when the generator continues after its `yield`.
 * - On an abort, its promise rejects before the generator ends, and a read can be pending. Only the `finally` here
 *   frees the buffers, after that read.
 * - Nothing is awaited after the last `yield`: undici would receive the response before the end of the body, treat the
 *   body as incomplete, and close the connection instead of keeping it.
 */
async function* streamPart({ content, head, tail, pool, state }: StreamInput): AsyncGenerator<Uint8Array, void, void> {
  const { reader, offsetBytes, sizeBytes, onBytesSent, pace } = content;
  let current = pool.take();
  let next = pool.take();
  let pending: Promise<void> | undefined;
  const startReading = (buffer: Buffer, doneBytes: number): void => {
    const wanted = Math.min(BUFFER_BYTES, sizeBytes - doneBytes);
    pending = wanted > 0 ? fill(reader, buffer.subarray(0, wanted), offsetBytes + doneBytes, state) : undefined;
    // It can fail while the generator is in a `yield`, before it is awaited.
    pending?.catch(() => {});
  };
  try {
    startReading(current, 0);
    yield head;
    let doneBytes = 0;
    for (;;) {
      await pending;
      pending = undefined;
      const length = Math.min(BUFFER_BYTES, sizeBytes - doneBytes);
      const turn = pace?.(length);
      if (turn) await turn;
      if (state.isStopped) return;
      if (length < MIN_REUSED_CHUNK_BYTES) {
        // The short end is in a separate buffer, because no event shows when the socket has accepted it.
        const end = Buffer.concat([current.subarray(0, length), tail]);
        state.isSent = true;
        yield end;
        onBytesSent?.(sizeBytes);
        return;
      }
      startReading(next, doneBytes + length);
      yield current.subarray(0, length);
      doneBytes += length;
      onBytesSent?.(doneBytes);
      if (state.isStopped) return;
      [current, next] = [next, current];
      if (doneBytes === sizeBytes) {
        state.isSent = true;
        yield tail;
        return;
      }
    }
  } finally {
    if (pending) await pending.catch(() => {});
    pool.give(current);
    pool.give(next);
  }
}

/** Fills the whole buffer, however short the reads are. */
async function fill(reader: SourceReader, buffer: Buffer, offsetBytes: number, state: SendState): Promise<void> {
  let filled = 0;
  while (filled < buffer.byteLength && !state.isStopped) {
    const bytesRead = await read(reader, filled === 0 ? buffer : buffer.subarray(filled), offsetBytes + filled);
    if (bytesRead === 0) {
      throw new SourceChangedError('the source ended before its size; it was cut while it was sent');
    }
    filled += bytesRead;
  }
}

async function read(reader: SourceReader, buffer: Buffer, offsetBytes: number): Promise<number> {
  try {
    return await reader.read(buffer, offsetBytes);
  } catch (error) {
    if (error instanceof LonghaulError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SourceReadError(`the source can't be read at the moment (${reason})`, { cause: error });
  }
}
