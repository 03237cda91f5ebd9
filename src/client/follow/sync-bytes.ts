import type { Client } from '@temporalio/client';
import { QueryName } from '../../contracts/names.ts';
import type { SyncCounts } from '../../contracts/sync.ts';
import { partsUnderWay } from './pending.ts';
import { readUploadProgress } from './read-answers.ts';

/** What an upload that a sync has started tells of itself. */
export interface UploadLook {
  /** Of its session; empty before there is one. */
  readonly uploadId: string;
  /** Bytes of recorded parts and, as far as heartbeats tell, of those in flight. */
  readonly bytesSent: number;
}

/** For who polls: a sync may have 200 uploads under way, and each look at one is two requests. */
export const LOOKS_A_POLL = 8;
/** Short: what a sync tells of itself must not wait long for an upload that doesn't answer. */
const LOOK_TIMEOUT_MS = 2000;

/** The bytes that a sync has sent: of whole files, which it counts itself, and of the uploads under way, which it doesn't. */
export class SyncBytes {
  readonly #look: (workflowId: string) => Promise<UploadLook | undefined>;
  readonly #looksAtOnce: number;
  #known = new Map<string, UploadLook & { readonly poll: number }>();
  #poll = 0;
  #setbacks = 0;
  #most = { setbacks: 0, bytes: 0 };

  /** @param look undefined when the upload has ended */
  constructor(look: (workflowId: string) => Promise<UploadLook | undefined>, looksAtOnce: number) {
    this.#look = look;
    this.#looksAtOnce = looksAtOnce;
  }

  /**
   * The bytes as of now. Of many uploads those are asked that were asked longest ago; the others count as they were then.
   *
   * @param uploads workflow ids of the uploads under way, seen before `counts` was asked for: one that runs after that is
   *   not in `counts`, so nothing counts twice
   */
  async measure({ sent, toSend, failed }: SyncCounts, uploads: readonly string[]): Promise<number> {
    this.#poll += 1;
    this.#known = new Map([...this.#known].filter(([workflowId]) => uploads.includes(workflowId)));
    const lastPoll = (workflowId: string) => this.#known.get(workflowId)?.poll ?? 0;
    const due = uploads.toSorted((a, b) => lastPoll(a) - lastPoll(b)).slice(0, this.#looksAtOnce);
    await Promise.all(due.map((workflowId) => this.#ask(workflowId)));
    const underWay = [...this.#known.values()].reduce((sum, { bytesSent }) => sum + bytesSent, 0);
    const bytes = Math.min(sent.bytes + underWay, toSend.bytes);
    // An upload ends a moment before the sync has counted it; a bar must not jump back for that, but for a real setback.
    const setbacks = this.#setbacks + failed;
    this.#most = { setbacks, bytes: setbacks === this.#most.setbacks ? Math.max(this.#most.bytes, bytes) : bytes };
    return this.#most.bytes;
  }

  async #ask(workflowId: string): Promise<void> {
    const before = this.#known.get(workflowId) ?? { uploadId: '', bytesSent: 0 };
    const poll = this.#poll;
    try {
      const now = await this.#look(workflowId);
      const isSame = now?.uploadId === before.uploadId;
      // A lost session takes its parts with it.
      if (now && !isSame && before.uploadId !== '') this.#setbacks += 1;
      const bytesSent = Math.max(now?.bytesSent ?? 0, isSame ? before.bytesSent : 0);
      this.#known.set(workflowId, { uploadId: now?.uploadId ?? '', bytesSent, poll });
    } catch {
      // Not started yet, or no worker just now: the sync's own progress is known all the same.
      this.#known.set(workflowId, { ...before, poll });
    }
  }
}

/** @throws what Temporal's client throws, also when nobody answers within 2 s */
export async function lookAtUpload(client: Client, workflowId: string): Promise<UploadLook | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  return client.withDeadline(Date.now() + LOOK_TIMEOUT_MS, async () => {
    const { status, raw } = await handle.describe();
    if (status.name !== 'RUNNING') return undefined;
    const { bytesDone, bytesTotal, session } = readUploadProgress(
      await handle.query<unknown>(QueryName.progress),
      workflowId,
    );
    const { bytesUnderWay } = partsUnderWay(raw.pendingActivities ?? []);
    return { uploadId: session?.uploadId ?? '', bytesSent: Math.min(bytesDone + bytesUnderWay, bytesTotal) };
  });
}
