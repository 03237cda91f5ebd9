import { workflowInfo } from '@temporalio/workflow';
import type { ControlActivities, TransferActivities } from '../../src/contracts/activities.ts';
import type {
  PlannedDeletion,
  PlanSyncInput,
  PlanSyncResult,
  SyncBatch,
  SyncReading,
  SyncScope,
} from '../../src/contracts/plan-sync.ts';
import type { Admitted } from '../../src/contracts/failures.ts';
import type { ForgottenFile, FullSyncRequest, RememberedFile, SyncMemory } from '../../src/contracts/sync.ts';
import { isPlainObject, packInput, takeWithin } from '../../src/core/payload.ts';
import { HEARTBEAT_TIMEOUT, retry } from '../shell/activities.ts';
import { callsOf, checkedResult, type Calls, type Unchecked } from '../shell/results.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { transferQueueOf, type RawRequest } from '../shell/requests.ts';
import { syncScope } from '../../src/core/sync/plan.ts';
import type { NewestLists } from './newest-lists.ts';

/** Files of one batch. In history, each needs about 300 bytes when it is planned, and twice that when it is sent. */
const UPLOADS_A_BATCH = 200;
const DELETIONS_A_BATCH = 1000;
/** Of the entries and of the deleted paths in one call. */
const RECORD_BYTES = 800_000;

type SyncControl = Pick<ControlActivities, 'deleteFile' | 'packSyncMemory' | 'recallSync'>;

type ListActivities = Pick<TransferActivities, 'planSync' | 'recordSync'>;

type PlanInput = Omit<PlanSyncInput, 'planId' | 'scope' | 'request' | 'acceptsReading'>;

/** Results of the run, for planning. */
export interface Learning {
  readonly memory: () => SyncMemory | null;
  readonly lists: () => NewestLists;
  readonly read: (reading: SyncReading) => Promise<void>;
  readonly pack: () => Promise<void>;
  readonly admit: (admitted: Admitted<FullSyncRequest>) => void;
}

/** The activities of one sync, with the properties of their input that stay the same. */
export class SyncCalls {
  readonly #raw: RawRequest;
  readonly #planId: string;
  #full: FullSyncRequest | undefined;
  readonly #control: Calls<SyncControl>;
  readonly #lists: Calls<ListActivities>;

  /** @param raw request as the caller sent it, for the first activity only */
  constructor(raw: RawRequest, planId: string) {
    this.#raw = raw;
    this.#planId = planId;
    const heartbeatTimeout = HEARTBEAT_TIMEOUT;
    this.#control = callsOf<SyncControl>({ startToCloseTimeout: '2m', heartbeatTimeout, retry });
    const transfer = { taskQueue: queueOf(raw), heartbeatTimeout, retry } as const;
    this.#lists = callsOf<ListActivities>({
      ...transfer,
      // The activity can have to compute the MD5 of large files that were renamed.
      startToCloseTimeout: '24h',
    });
  }

  /** @param request as the first activity returned it */
  admit(request: FullSyncRequest): void {
    this.#full = request;
  }

  get isAdmitted(): boolean {
    return this.#full !== undefined;
  }

  get #request(): FullSyncRequest {
    if (!this.#full) throw new Error('the request is not available before the lists exist');
    return this.#full;
  }

  get #scope(): SyncScope {
    return syncScope(this.#request);
  }

  /** Returns the memory of the previous run. */
  recall(): Promise<Unchecked<SyncMemory | null>> {
    const { workflowId, searchAttributes } = workflowInfo();
    const [scheduleId] = searchAttributes['TemporalScheduledById'] ?? [];
    const input = { workflowId, scheduleId: typeof scheduleId === 'string' ? scheduleId : null };
    return this.#control.recallSync.executeWithOptions({ summary: 'the memory of the last run' }, [input]);
  }

  /** Sends the memory to the worker only if it needs it. */
  planUploads(after: string | null, learning: Learning): Promise<SyncBatch> {
    const wantsDeletions = this.#raw['delete'] === true;
    const input = { phase: 'uploads', delete: wantsDeletions, after, limit: UPLOADS_A_BATCH } as const;
    return this.#batch(after === null ? { ...input, memory: learning.memory() } : input, learning);
  }

  planDeletions(after: string | null, learning: Learning): Promise<SyncBatch> {
    const input = { phase: 'deletions', delete: true, after, limit: DELETIONS_A_BATCH } as const;
    return this.#batch({ ...input, memory: learning.memory() }, learning);
  }

  decide(learning: Learning): Promise<SyncBatch> {
    const input = { phase: 'dry-run', delete: this.#raw['delete'] === true, after: null, limit: 0 } as const;
    return this.#batch({ ...input, memory: learning.memory() }, learning);
  }

  deleteFile({ path, ...file }: PlannedDeletion): Promise<void> {
    const { destination } = this.#scope;
    return this.#control.deleteFile.executeWithOptions({ summary: summaryCode(path) }, [{ destination, ...file }]);
  }

  /** Packs in one call, or in several if the inputs are too large. */
  async packMemory(
    memory: SyncMemory | null,
    add: readonly RememberedFile[],
    remove: readonly string[],
  ): Promise<SyncMemory> {
    let packed = memory;
    let rest = { add, remove };
    for (;;) {
      const { input, ...left } = packInput(this.#scope, packed, rest);
      const result = await this.#control.packSyncMemory.executeWithOptions({ summary: 'for the next run' }, [input]);
      packed = checkedResult('packSyncMemory', result);
      if (left.add.length + left.remove.length === 0) return packed;
      rest = left;
    }
  }

  /** Writes results to the manifest, in one call, or in several if the inputs are too large. */
  async record(add: readonly RememberedFile[], remove: readonly ForgottenFile[], isLast = false): Promise<void> {
    const summary = 'the results so far';
    let rest = { add, remove };
    while (rest.add.length + rest.remove.length > 0) {
      const adding = takeWithin(rest.add, { bytes: RECORD_BYTES }).taken;
      const removing = takeWithin(rest.remove, { bytes: RECORD_BYTES }).taken;
      const input = { scope: this.#scope, add: adding, remove: removing };
      // Without a worker, a cancelled sync does not wait for one.
      const call = isLast ? ({ summary, scheduleToCloseTimeout: '1m' } as const) : { summary };
      await this.#lists.recordSync.executeWithOptions(call, [input]);
      rest = { add: rest.add.slice(adding.length), remove: rest.remove.slice(removing.length) };
    }
  }

  /** Repeats the call until all sources that need an MD5 are read. */
  async #batch(input: PlanInput, learning: Learning): Promise<SyncBatch> {
    const lists = learning.lists();
    const makesLists = input.memory !== undefined;
    let next: PlanInput = {
      ...input,
      lists: makesLists ? lists.anew() : lists.wanted,
      plannedBefore: makesLists && input.phase === 'uploads' ? lists.planned : undefined,
    };
    for (;;) {
      const result = await this.#plan(next);
      const isKnown = this.isAdmitted;
      const { admitted, ...answer } = checkedResult('planSync', result, (one) => isKnown || one.admitted !== undefined);
      if (admitted) learning.admit(admitted);
      if (answer.type === 'batch') return answer;
      if (answer.type === 'reading') {
        await learning.read(answer);
        // The worker usually has the lists. Decisions about deletions need a memory with all results.
        const { memory: _memory, ...rest } = next;
        next = input.phase === 'deletions' ? { ...rest, memory: learning.memory() } : rest;
      } else {
        if (answer.packFirst) await learning.pack();
        const plannedBefore = input.phase === 'uploads' ? lists.planned : undefined;
        next = { ...input, memory: learning.memory(), plannedBefore, lists: lists.anew() };
      }
    }
  }

  #plan(input: PlanInput): Promise<Unchecked<PlanSyncResult>> {
    const summary = `${input.phase}${input.after === null ? '' : ` after ${summaryCode(input.after)}`}`;
    return this.#lists.planSync.executeWithOptions({ summary }, [
      {
        planId: this.#planId,
        ...(this.#full ? { scope: this.#scope } : { request: this.#raw as never }),
        acceptsReading: true,
        ...input,
      },
    ]);
  }
}

/** The queue of the workers that can read the source and write the manifest. */
function queueOf(raw: RawRequest): string {
  const { source, manifest } = raw;
  const hasHost = isPlainObject(source) && source['host'] !== undefined;
  return transferQueueOf(hasHost || !isPlainObject(manifest) ? raw : { ...raw, source: manifest });
}
