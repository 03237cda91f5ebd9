import type { Readable } from 'node:stream';
import { AbortedError, TimeoutError } from '../../errors.ts';

/** Limits of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Maximum time of the whole call. @defaultValue that of the destination profile for this kind of call */
  readonly timeoutMs?: number | undefined;
}

/** Longer timers expire immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface CallLimits {
  /** Aborted with the error of the call. */
  readonly signal: AbortSignal;
  /** The same as a rejection, for promises without a signal. */
  race<T>(promise: Promise<T>): Promise<T>;
  /** Releases the timer and the caller's signal. */
  release(): void;
}

/** Joins the caller's signal and the time limit to one signal, whose reason is a typed error. */
export function startCallLimits({ signal, timeoutMs }: CallOptions, action: string): CallLimits {
  const controller = new AbortController();
  const onAbort = () =>
    controller.abort(new AbortedError(`${action} was aborted by its caller`, { cause: signal?.reason }));
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => {
            controller.abort(new TimeoutError(`${action} took longer than ${timeoutMs / 1000} s`));
          },
          Math.min(timeoutMs, MAX_TIMER_MS),
        );
  return {
    signal: controller.signal,
    race: (promise) => raceWith(controller.signal, promise),
    release: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

async function raceWith<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

export interface BodyText {
  readonly text: string;
  /** Whether the body is longer than the bound. */
  readonly isCut: boolean;
}

/** Reads a response's body up to a bound. The rest is discarded with its connection. */
export async function readBody(body: Readable, maxBytes: number): Promise<BodyText> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // An early end of the loop destroys the body.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) break;
  }
  const text = Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
  return { text, isCut: sizeBytes > maxBytes };
}
