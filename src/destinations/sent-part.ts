import type { SourceReader } from '../sources/source-reader.ts';
import type { Pace, PartContent } from './http/multipart-part.ts';
import type { Gate, Part, PartListener } from './port.ts';

export interface SentPartOptions {
  readonly gate?: Gate | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a part when the gate permits it, and reports its progress to the gate and to its listeners.
 *
 * @param send calls `start` for each attempt: a part is sent again if the key has changed
 * @throws what `send` throws, and AbortedError if the signal is aborted before the part can be sent
 */
export async function sendThrough<T>(
  part: Part,
  { gate, signal }: SentPartOptions,
  send: (start: () => PartContent) => Promise<T>,
): Promise<T> {
  const place = await gate?.enterPart(signal);
  const listeners = [place, ...(part.listeners ?? [])].filter((one) => one !== undefined);
  const { offsetBytes, sizeBytes } = part;
  let sentAtMs = 0;
  const moved = (totalBytes: number) => {
    if (totalBytes === sizeBytes) sentAtMs = performance.now();
    for (const one of listeners) one.moved(totalBytes);
  };
  const reader = timed(part.reader, listeners);
  const content = { reader, offsetBytes, sizeBytes, onBytesSent: moved, pace: both(gate?.bytes, part.pace) };
  try {
    const result = await send(() => {
      sentAtMs = 0;
      moved(0);
      return content;
    });
    // The last bytes are not reported if the response is faster.
    const waitMs = sentAtMs === 0 ? 0 : performance.now() - sentAtMs;
    if (sentAtMs === 0) moved(sizeBytes);
    for (const one of listeners) one.responded?.(waitMs);
    place?.finished();
    return result;
  } catch (error) {
    place?.finished(error);
    throw error;
  }
}

function timed(reader: SourceReader, listeners: readonly PartListener[]): SourceReader {
  const interested = listeners.filter((one) => one.read);
  if (interested.length === 0) return reader;
  return {
    stat: (options) => reader.stat(options),
    read: async (buffer, offsetBytes) => {
      const startedAtMs = performance.now();
      const bytes = await reader.read(buffer, offsetBytes);
      const durationMs = performance.now() - startedAtMs;
      for (const one of interested) one.read?.(bytes, durationMs);
      return bytes;
    },
    close: () => reader.close(),
  };
}

/** Waits for both. */
export function both(one: Pace | undefined, other: Pace | undefined): Pace | undefined {
  if (!one || !other) return one ?? other;
  return (bytes) => {
    const turns = [one(bytes), other(bytes)].filter((turn) => turn !== undefined);
    return turns.length === 0 ? undefined : Promise.all(turns);
  };
}
