import type { Client, DescribeWorkflowExecutionResponse } from '@temporalio/client';
import { QueryName, WorkflowName } from '../../contracts/names.ts';
import { withPieceProgress } from '../../core/split/progress.ts';
import type { JobProgress } from '../jobs.ts';
import { decodedPending, partsUnderWay, pausedActivityOf } from './pending.ts';
import type { PartTrouble, PausedActivity, PendingActivity } from './pending.ts';
import { readUploadProgress } from './read-answers.ts';
import { isOpen } from '../../temporal/workflow-status.ts';

/** One upload that a split upload or a sync has started. */
export interface UploadLook {
  /** Undefined if no worker responded in time. */
  readonly progress: JobProgress<'upload' | 'split'> | undefined;
  readonly pending: readonly PendingActivity[];
}

/** The progress of a job, with the bytes and the parts of its running uploads. */
interface LiveProgress {
  readonly progress: JobProgress;
  /** Recorded bytes and, according to heartbeats, bytes in flight. */
  readonly bytesSent: number;
  readonly trouble?: PartTrouble;
  /** Of one of the uploads. */
  readonly pausedActivity?: PausedActivity;
  /** Activities of the job, otherwise of one of its uploads: all of them read the same source. */
  readonly pending: readonly PendingActivity[];
}

type Described = Pick<Partial<DescribeWorkflowExecutionResponse>, 'pendingChildren'> & {
  /** As `decodedPending` returns them. */
  readonly pendingActivities?: readonly PendingActivity[] | null;
};

interface Known {
  readonly look: UploadLook | undefined;
  readonly uploadId: string;
  readonly bytesSent: number;
  readonly poll: number;
}

const UNKNOWN: Known = { look: undefined, uploadId: '', bytesSent: 0, poll: 0 };

/** Adds the bytes of parts in flight and of running uploads to the progress of a job, whose workflow does not count them. */
export class LiveBytes {
  readonly #look: (workflowId: string) => Promise<UploadLook | undefined>;
  readonly #maxLooks: number;
  #known = new Map<string, Known>();
  #session = '';
  #poll = 0;
  #setbacks = 0;
  #most = { setbacks: 0, bytes: 0 };

  /**
   * @param look undefined if the upload has closed
   * @param maxLooks uploads that each call queries. A sync can have 200 uploads, and each needs two requests
   */
  constructor(look: (workflowId: string) => Promise<UploadLook | undefined>, maxLooks: number) {
    this.#look = look;
    this.#maxLooks = maxLooks;
  }

  /**
   * If a job has many uploads, queries those with the oldest values, and uses earlier values of the others.
   *
   * @param description from before the query of `progress`: an upload that is running after both is not in `bytesDone`
   */
  async measure(progress: JobProgress, { pendingActivities, pendingChildren }: Described): Promise<LiveProgress> {
    const uploads = (pendingChildren ?? [])
      .filter(({ workflowTypeName }) => workflowTypeName === WorkflowName.uploadFile)
      .flatMap(({ workflowId }) => workflowId ?? []);
    await this.#lookAt(uploads);
    const known = [...this.#known.values()];
    const own = partsUnderWay(pendingActivities ?? []);
    const isOwnPending = (pendingActivities ?? []).length > 0;
    const [first] = known.flatMap(({ look }) => look ?? []);
    const shown = withUploads(progress, known);
    const ofUploads = known.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
    return {
      progress: shown,
      bytesSent: this.#steady(
        progress,
        Math.min(progress.bytesDone + own.bytesUnderWay + ofUploads, progress.bytesTotal),
      ),
      trouble: (progress.kind === 'split' && first && partsUnderWay(first.pending).trouble) || own.trouble,
      pausedActivity: this.#pausedActivity(),
      pending: (isOwnPending ? pendingActivities : first?.pending) ?? [],
    };
  }

  #pausedActivity(): PausedActivity | undefined {
    const all = [...this.#known].map(([workflowId, { look }]) => pausedActivityOf(workflowId, look?.pending ?? []));
    return all.find((one) => one !== undefined);
  }

  /** An upload closes, and its heartbeats disappear, shortly before its bytes are recorded. Hides this decrease. */
  #steady(progress: JobProgress, bytes: number): number {
    const session = progress.kind === 'sync' ? '' : (progress.session?.uploadId ?? '');
    if (this.#session !== '' && session !== this.#session) this.#setbacks += 1;
    this.#session = session;
    const setbacks = this.#setbacks + failedOf(progress);
    this.#most = { setbacks, bytes: setbacks === this.#most.setbacks ? Math.max(this.#most.bytes, bytes) : bytes };
    return this.#most.bytes;
  }

  async #lookAt(uploads: readonly string[]): Promise<void> {
    this.#poll += 1;
    this.#known = new Map([...this.#known].filter(([workflowId]) => uploads.includes(workflowId)));
    const lastPoll = (workflowId: string) => this.#known.get(workflowId)?.poll ?? 0;
    const due = uploads.toSorted((a, b) => lastPoll(a) - lastPoll(b)).slice(0, this.#maxLooks);
    await Promise.all(due.map((workflowId) => this.#lookAtOne(workflowId)));
  }

  async #lookAtOne(workflowId: string): Promise<void> {
    const before = this.#known.get(workflowId) ?? UNKNOWN;
    const poll = this.#poll;
    const look = await this.#look(workflowId).catch((): UploadLook => ({ progress: undefined, pending: [] }));
    // Not started yet, or no worker responds.
    if (look && !look.progress) return void this.#known.set(workflowId, { ...before, look, poll });
    const { session, bytesDone = 0, bytesTotal = 0 } = look?.progress ?? {};
    const uploadId = session?.uploadId ?? '';
    const isSame = look !== undefined && uploadId === before.uploadId;
    // The parts of a lost session are lost.
    if (look && !isSame && before.uploadId !== '') this.#setbacks += 1;
    const bytes = Math.min(bytesDone + partsUnderWay(look?.pending ?? []).bytesUnderWay, bytesTotal);
    const bytesSent = Math.max(bytes, isSame ? before.bytesSent : 0);
    this.#known.set(workflowId, { look, uploadId, bytesSent, poll });
  }
}

/** A split upload runs one upload at a time, and has the state of that upload. */
function withUploads(progress: JobProgress, known: readonly Known[]): JobProgress {
  const running = known.flatMap(({ look }) => look?.progress ?? []);
  const [piece] = running;
  if (progress.kind === 'split' && piece?.kind === 'upload') return withPieceProgress(progress, piece);
  if (progress.kind !== 'sync') return progress;
  return { ...progress, partsInFlight: running.reduce((sum, { partsInFlight }) => sum + partsInFlight, 0) };
}

function failedOf(progress: JobProgress): number {
  if (progress.kind === 'sync') return progress.counts.failed;
  return progress.kind === 'split' ? progress.pieces.filter(({ state }) => state === 'failed').length : 0;
}

/** @throws errors of Temporal's client, also if it does not respond in time */
export async function lookAtUpload(
  client: Client,
  workflowId: string,
  timeoutMs: number,
): Promise<UploadLook | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  return client.withDeadline(Date.now() + timeoutMs, async () => {
    const { status, raw } = await handle.describe();
    if (!isOpen(status.name)) return undefined;
    const progress = await handle.query<unknown>(QueryName.progress).then(
      (answer) => readUploadProgress(answer, workflowId),
      () => undefined,
    );
    return { progress, pending: await decodedPending(client, raw.pendingActivities) };
  });
}
