import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { proxyActivities, sleep, startChild, workflowInfo, type ActivityInterfaceFor } from '@temporalio/workflow';
import type {
  ControlActivities,
  PlannedDeletion,
  PlannedUpload,
  PlanSyncInput,
  PlanSyncResult,
  SyncBatch,
  SyncReading,
  SyncScope,
  TransferActivities,
} from '../../src/contracts/activities.ts';
import type { Admitted } from '../../src/contracts/failures.ts';
import { Priorities } from '../../src/contracts/limits.ts';
import { WorkflowName } from '../../src/contracts/names.ts';
import type { FullSyncRequest, RememberedFile, SyncMemory } from '../../src/contracts/sync.ts';
import type { SharedLimit, UploadRequest, UploadResult } from '../../src/contracts/upload.ts';
import { formatBytes } from '../../src/core/text/format.ts';
import { acceptedPartSizeBytes } from '../../src/core/upload/plan.ts';
import { packInput, commandBytes } from '../../src/core/payload.ts';
import { mostPartsUnder } from '../../src/core/pace/rate-limit.ts';
import { sourceWithin } from '../../src/core/source/names.ts';
import { HEARTBEAT_TIMEOUT, retry } from '../shell/activities.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { transferQueueOf, type RawRequest } from '../shell/requests.ts';
import { syncScope } from '../../src/core/sync/plan.ts';
import type { NewestLists } from './newest-lists.ts';

/** History of one batch: some 300 bytes a file when it is planned, and twice that when it is sent. */
const UPLOADS_A_BATCH = 200;
const DELETIONS_A_BATCH = 1000;

/** An upload of an earlier run that was told to end cancels its session first. */
const BUSY_TRIES = 30;
const BUSY_PAUSE_MS = 2000;

/** As the client starts them. */
const WORKFLOW_TASK_TIMEOUT_MS = 5000;

type SyncControl = Pick<ControlActivities, 'deleteFile' | 'packSyncMemory' | 'recallSync'>;

type PlanInput = Omit<PlanSyncInput, 'planId' | 'scope' | 'request' | 'acceptsReading'>;

/** What the run has learnt, for planning. */
export interface Learning {
  readonly memory: () => SyncMemory | null;
  readonly lists: () => NewestLists;
  readonly read: (reading: SyncReading) => Promise<void>;
  readonly pack: () => Promise<void>;
  readonly admit: (admitted: Admitted<FullSyncRequest>) => void;
}

/** Returns the maximum uploads at a time, of which each sends at least one part. */
export function syncConcurrency({ maxConcurrentUploads: most, limitBytesPerSecond }: FullSyncRequest): number {
  return limitBytesPerSecond ? Math.min(most, mostPartsUnder(limitBytesPerSecond)) : most;
}

/** The activities and children of one sync, with what of their input stays the same. */
export class SyncCalls {
  readonly #raw: RawRequest;
  readonly #planId: string;
  #full: FullSyncRequest | undefined;
  readonly #control: ActivityInterfaceFor<SyncControl>;
  readonly #lists: ActivityInterfaceFor<Pick<TransferActivities, 'planSync'>>;
  #partSizeBytes: number | undefined;

  /** @param raw as a caller sent it: of it, only the first activity is made */
  constructor(raw: RawRequest, planId: string) {
    this.#raw = raw;
    this.#planId = planId;
    const heartbeatTimeout = HEARTBEAT_TIMEOUT;
    this.#control = proxyActivities<SyncControl>({ startToCloseTimeout: '2m', heartbeatTimeout, retry });
    const transfer = { taskQueue: transferQueueOf(raw), heartbeatTimeout, retry } as const;
    this.#lists = proxyActivities<Pick<TransferActivities, 'planSync'>>({
      ...transfer,
      // The md5 of large files that were renamed may have to be taken.
      startToCloseTimeout: '24h',
    });
  }

  /** @param request as the first activity returned it */
  admit(request: FullSyncRequest): void {
    this.#full = request;
    this.#partSizeBytes ??= request.upload.partSizeBytes;
  }

  get #request(): FullSyncRequest {
    if (!this.#full) throw new Error('the request is not known before the lists are made');
    return this.#full;
  }

  get #scope(): SyncScope {
    return syncScope(this.#request);
  }

  /** About the bytes of the largest command that sends a file: the start of its upload, or the activity for a small one. */
  commandBytes({ path, filename, fingerprint }: PlannedUpload): number {
    return commandBytes(this.#request.source, sourceWithin(this.#request.source, path), filename, fingerprint, path);
  }

  get maxSessions(): number {
    return this.#request.upload.maxSessions;
  }

  /** What the run before this one handed over. */
  recall(): Promise<SyncMemory | null> {
    const { workflowId, searchAttributes } = workflowInfo();
    const [scheduleId] = searchAttributes['TemporalScheduledById'] ?? [];
    const input = { workflowId, scheduleId: typeof scheduleId === 'string' ? scheduleId : null };
    return this.#control.recallSync.executeWithOptions({ summary: 'the memory of the last run' }, [input]);
  }

  /** The memory is sent to the worker only when it needs it. */
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

  /**
   * Runs one file's upload to its end. Its id is the same for the same file and content, so that it is never sent by two
   * at a time.
   *
   * @throws WorkflowExecutionAlreadyStartedError when an upload of an earlier run doesn't end
   */
  async upload(planned: PlannedUpload): Promise<UploadResult> {
    const readable = planned.filename.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 48);
    const { purpose, destination, upload, source } = this.#request;
    const request: UploadRequest = {
      ...upload,
      source: sourceWithin(source, planned.path),
      within: source,
      filename: planned.filename,
      purpose,
      destination,
      ...(this.#partSizeBytes === undefined ? {} : { partSizeBytes: this.#partSizeBytes }),
      priority: upload.priority ?? Priorities.bulk,
      ...this.#limitOfUpload(),
      expectedFingerprint: planned.fingerprint,
    };
    for (let tries = 1; ; tries++) {
      try {
        const child = await startChild<(request: UploadRequest) => Promise<UploadResult>>(WorkflowName.uploadFile, {
          workflowId: `${workflowInfo().workflowId}-${readable}-${planned.key}`,
          args: [request],
          parentClosePolicy: 'REQUEST_CANCEL',
          cancellationType: 'WAIT_CANCELLATION_COMPLETED',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
          staticSummary: `${summaryCode(planned.path)} · ${formatBytes(planned.sizeBytes)}`,
        });
        const result = await child.result();
        const { partSizeBytes } = request;
        this.#partSizeBytes =
          acceptedPartSizeBytes(result.bytes, partSizeBytes, result.partSizeBytes) ?? this.#partSizeBytes;
        return result;
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError) || tries === BUSY_TRIES) throw error;
        await sleep(BUSY_PAUSE_MS, { summary: `${summaryCode(planned.path)}: an earlier upload still ends` });
      }
    }
  }

  /** Parts wait for the rate as long as they can, and no longer: only so many are in flight. */
  #limitOfUpload(): Pick<UploadRequest, 'sharedLimit' | 'concurrency'> {
    const { limitBytesPerSecond, upload } = this.#request;
    if (!limitBytesPerSecond) return {};
    const share = Math.floor(mostPartsUnder(limitBytesPerSecond) / syncConcurrency(this.#request));
    return {
      sharedLimit: this.sharedLimit,
      concurrency: Math.min(upload.concurrency, Math.max(share, 1)),
    };
  }

  get sharedLimit(): SharedLimit | undefined {
    const { limitBytesPerSecond: bytesPerSecond } = this.#request;
    return bytesPerSecond ? { key: workflowInfo().firstExecutionRunId, bytesPerSecond } : undefined;
  }

  deleteFile({ path, ...file }: PlannedDeletion): Promise<void> {
    const { destination } = this.#scope;
    return this.#control.deleteFile.executeWithOptions({ summary: summaryCode(path) }, [{ destination, ...file }]);
  }

  /** In one call, or in as many as its inputs need to fit. */
  async packMemory(
    memory: SyncMemory | null,
    add: readonly RememberedFile[],
    remove: readonly string[],
  ): Promise<SyncMemory> {
    let packed = memory;
    let rest = { add, remove };
    for (;;) {
      const { input, ...left } = packInput(this.#scope, packed, rest);
      packed = await this.#control.packSyncMemory.executeWithOptions({ summary: 'for the next run' }, [input]);
      if (left.add.length + left.remove.length === 0) return packed;
      rest = left;
    }
  }

  /** Calls until the sources whose MD5 decides are read. */
  async #batch(input: PlanInput, learning: Learning): Promise<SyncBatch> {
    const lists = learning.lists();
    const makesLists = input.memory !== undefined;
    let next: PlanInput = {
      ...input,
      lists: makesLists ? lists.anew() : lists.wanted,
      plannedBefore: makesLists && input.phase === 'uploads' ? lists.planned : undefined,
    };
    for (;;) {
      const { admitted, ...answer } = await this.#plan(next);
      if (admitted) learning.admit(admitted);
      if (answer.type === 'batch') return answer;
      if (answer.type === 'reading') {
        await learning.read(answer);
        // The worker has the lists, mostly. Deletions are decided by a memory of all that was learnt.
        const { memory: _memory, ...rest } = next;
        next = input.phase === 'deletions' ? { ...rest, memory: learning.memory() } : rest;
      } else {
        if (answer.packFirst) await learning.pack();
        const plannedBefore = input.phase === 'uploads' ? lists.planned : undefined;
        next = { ...input, memory: learning.memory(), plannedBefore, lists: lists.anew() };
      }
    }
  }

  #plan(input: PlanInput): Promise<PlanSyncResult> {
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
