import { setTimeout } from 'node:timers/promises';
import type { UploadLimit } from '../contracts/upload.ts';
import { RateLimit } from '../core/pace/rate-limit.ts';
import type { Pace } from '../destinations/http/multipart-part.ts';

/** Its workflow is asked when nothing was heard of a limit for so long; a quarter more, and a change has come through. */
const ASK_AFTER_MS = 4000;

/** How much rarer it is asked while it has no limit. Temporal Cloud bills each query, and few uploads get a limit later. */
const UNLIMITED_FACTOR = 14;

interface Entry {
  readonly rate: RateLimit;
  revision: number;
  /** Parts of the upload that are being sent here. */
  parts: number;
  heardAtMs: number;
  timer: NodeJS.Timeout;
}

export interface LimitedPart {
  readonly pace: Pace;
  /** Once, when the part is over. */
  readonly leave: () => void;
}

/**
 * The limit of each upload whose parts are being sent here. A part brings the limit that held when it was scheduled; the
 * newest holds for all parts of its upload, and while no new part comes its workflow is asked.
 */
export class UploadLimits {
  readonly #entries = new Map<string, Entry>();
  readonly #askAfterMs: number;

  constructor(askAfterMs = ASK_AFTER_MS) {
    this.#askAfterMs = askAfterMs;
  }

  /** @param ask what the workflow says now; a rejection changes nothing */
  enter(
    workflowId: string,
    limit: UploadLimit | undefined,
    ask: () => Promise<UploadLimit | null | undefined>,
  ): LimitedPart {
    const entry = this.#entries.get(workflowId) ?? this.#open(workflowId, ask);
    entry.parts++;
    hear(entry, limit);
    return {
      pace: (bytes) => {
        const waitMs = entry.rate.take(bytes, performance.now());
        return waitMs > 0 ? setTimeout(waitMs, undefined, { ref: false }) : undefined;
      },
      leave: () => {
        if (--entry.parts > 0) return;
        clearInterval(entry.timer);
        this.#entries.delete(workflowId);
      },
    };
  }

  #open(workflowId: string, ask: () => Promise<UploadLimit | null | undefined>): Entry {
    const timer = setInterval(() => {
      const factor = entry.rate.bytesPerSecond === undefined ? UNLIMITED_FACTOR : 1;
      if (performance.now() - entry.heardAtMs < factor * this.#askAfterMs) return;
      ask().then(
        (limit) => hear(entry, limit),
        () => {},
      );
    }, this.#askAfterMs / 4);
    timer.unref();
    const entry: Entry = { rate: new RateLimit(), revision: -1, parts: 0, heardAtMs: performance.now(), timer };
    this.#entries.set(workflowId, entry);
    return entry;
  }
}

/** A workflow of another program under the same ID may answer anything. */
function isLimit(limit: unknown): limit is UploadLimit {
  const { bytesPerSecond, revision } = (limit ?? {}) as Partial<UploadLimit>;
  const isRate = bytesPerSecond === 0 || (Number.isFinite(bytesPerSecond) && Number(bytesPerSecond) >= 1);
  return isRate && Number.isSafeInteger(revision);
}

function hear(entry: Entry, limit: UploadLimit | null | undefined): void {
  entry.heardAtMs = performance.now();
  if (!isLimit(limit) || limit.revision <= entry.revision) return;
  entry.revision = limit.revision;
  entry.rate.bytesPerSecond = limit.bytesPerSecond === 0 ? undefined : limit.bytesPerSecond;
}
