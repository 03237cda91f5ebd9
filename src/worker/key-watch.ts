import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ApplicationFailure } from '@temporalio/common';
import pMap from 'p-map';
import type { KeyProvider } from '../keys/key-provider.ts';
import { Defaults } from '../contracts/limits.ts';
import type { FailureDetails } from '../contracts/failures.ts';
import { isAboutKey } from '../core/upload/reasons.ts';

/** What is asked of a provider. */
export type WatchedKeys = Pick<KeyProvider, 'current' | 'last'>;

export interface KeyWatchOptions {
  /** Undefined for a key that never changes. */
  readonly keysOf: (destination: string) => WatchedKeys | undefined;
  /** Makes a waiting upload or sync retry. @returns whether it was waiting */
  readonly retry: (workflowId: string) => Promise<boolean>;
  /** @defaultValue 1,000 */
  readonly intervalMs?: number;
}

/** More waiting uploads than this retry by their own timer. */
const MOST_REMEMBERED = 10_000;
/** A workflow starts to wait a moment after its activity failed. */
const MOST_TRIES = 5;
const RETRIES_AT_A_TIME = 8;

interface Rejected {
  /** The key of the rejected call; undefined if there was none. */
  readonly key: string | undefined;
  tries: number;
}

/**
 * Remembers which uploads wait because a service rejected their key, and makes them retry as soon as the key is another one.
 * The keys are watched only while there are such uploads.
 */
export class KeyWatch {
  readonly #options: KeyWatchOptions;
  readonly #rejected = new Map<string, Map<string, Rejected>>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: KeyWatchOptions) {
    this.#options = options;
  }

  /** The key that a call would be made with; a rejection is compared with it. */
  keyOf(destination: string): string | undefined {
    return this.#options.keysOf(destination)?.last;
  }

  /** @param key of `keyOf`, before the call */
  add(destination: string, workflowId: string, key: string | undefined): void {
    if (this.#isClosed || !this.#options.keysOf(destination)) return;
    const uploads = this.#rejected.get(destination) ?? new Map<string, Rejected>();
    this.#rejected.set(destination, uploads);
    if (uploads.size < MOST_REMEMBERED || uploads.has(workflowId)) uploads.set(workflowId, { key, tries: 0 });
    this.#timer ??= setInterval(() => void this.look(), this.#options.intervalMs ?? 1000).unref();
  }

  /** Compares the keys now. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    for (const [destination, uploads] of this.#rejected) {
      const key = await currentKey(this.#options.keysOf(destination));
      if (key === undefined) continue;
      const due = [...uploads].filter(([, rejected]) => rejected.key !== key);
      const retry = async (one: (typeof due)[number]) => {
        if (!this.#isClosed) await this.#retry(uploads, ...one);
      };
      await pMap(due, retry, { concurrency: RETRIES_AT_A_TIME });
      if (uploads.size === 0) this.#rejected.delete(destination);
    }
    if (this.#rejected.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #retry(uploads: Map<string, Rejected>, workflowId: string, rejected: Rejected): Promise<void> {
    rejected.tries += 1;
    const isDone = await this.#options.retry(workflowId).catch(() => false);
    // A new rejection may have come in the meantime.
    if ((isDone || rejected.tries >= MOST_TRIES) && uploads.get(workflowId) === rejected) uploads.delete(workflowId);
  }
}

async function currentKey(keys: WatchedKeys | undefined): Promise<string | undefined> {
  try {
    return await keys?.current();
  } catch {
    return undefined;
  }
}

/** The inputs of activities that call a service. */
interface CallingInput {
  readonly destination?: string;
  readonly scope?: { readonly destination?: string };
}

/** Reports to the watch which workflows have calls that failed because of the key. */
export function noteRejections(watch: KeyWatch): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      execute: async (input, next) => {
        const { destination, scope } = (input.args[0] ?? {}) as CallingInput;
        const name = destination ?? scope?.destination ?? Defaults.destination;
        const key = watch.keyOf(name);
        try {
          return await next(input);
        } catch (error) {
          const { workflowExecution } = context.info;
          if (workflowExecution && isFailureAboutKey(error)) watch.add(name, workflowExecution.workflowId, key);
          throw error;
        }
      },
    },
  });
}

function isFailureAboutKey(error: unknown): boolean {
  if (!(error instanceof ApplicationFailure)) return false;
  const { status } = (error.details?.[0] ?? {}) as FailureDetails;
  return isAboutKey(error.type, status);
}
