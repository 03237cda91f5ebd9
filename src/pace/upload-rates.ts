import type { UploadLimit } from '../contracts/upload.ts';
import { ByteRate } from '../core/pace/rate.ts';
import type { Pace } from '../destinations/http/multipart-part.ts';
import { paceOf } from './gate.ts';

/** Time after which the workflow of an upload with a rate is queried, if no new part of the upload arrives. */
const QUERY_AFTER_MS = 10_000;

interface Entry {
  readonly rate: ByteRate;
  revision: number;
  /** Parts of the upload that this worker sends. */
  parts: number;
  updatedAtMs: number;
  timer: NodeJS.Timeout;
}

export interface RatedPart {
  readonly pace: Pace;
  /** Called once, when the part is finished. */
  readonly leave: () => void;
}

/**
 * The rate of each upload whose parts this worker sends. A part has the rate that was in effect when it was scheduled, and
 * the newest rate applies to all parts of its upload. Only the workflow of an upload that has a rate is queried, because
 * Temporal Cloud bills queries: a new rate of another upload is in effect with its next part.
 */
export class UploadRates {
  readonly #entries = new Map<string, Entry>();
  readonly #queryAfterMs: number;

  constructor(queryAfterMs = QUERY_AFTER_MS) {
    this.#queryAfterMs = queryAfterMs;
  }

  /** @param query returns the rate from the workflow; a rejection changes nothing */
  enter(
    workflowId: string,
    limit: UploadLimit | undefined,
    query: () => Promise<UploadLimit | null | undefined>,
  ): RatedPart {
    const entry = this.#entries.get(workflowId) ?? this.#open(workflowId, query);
    entry.parts++;
    update(entry, limit);
    return {
      pace: paceOf(entry.rate),
      leave: () => {
        if (--entry.parts > 0) return;
        clearInterval(entry.timer);
        this.#entries.delete(workflowId);
      },
    };
  }

  #open(workflowId: string, query: () => Promise<UploadLimit | null | undefined>): Entry {
    const timer = setInterval(() => {
      if (entry.rate.bytesPerSecond === undefined) return;
      if (performance.now() - entry.updatedAtMs < this.#queryAfterMs) return;
      query().then(
        (limit) => update(entry, limit),
        () => {},
      );
    }, this.#queryAfterMs / 4);
    timer.unref();
    const entry: Entry = { rate: new ByteRate(), revision: -1, parts: 0, updatedAtMs: performance.now(), timer };
    this.#entries.set(workflowId, entry);
    return entry;
  }
}

/** A workflow of another program with the same ID can return anything. */
function isLimit(limit: unknown): limit is UploadLimit {
  const { bytesPerSecond, revision } = (limit ?? {}) as Partial<UploadLimit>;
  const isRate = bytesPerSecond === 0 || (Number.isFinite(bytesPerSecond) && Number(bytesPerSecond) >= 1);
  return isRate && Number.isSafeInteger(revision);
}

function update(entry: Entry, limit: UploadLimit | null | undefined): void {
  entry.updatedAtMs = performance.now();
  if (!isLimit(limit) || limit.revision <= entry.revision) return;
  entry.revision = limit.revision;
  entry.rate.bytesPerSecond = limit.bytesPerSecond === 0 ? undefined : limit.bytesPerSecond;
}
