import type { SyncProgress } from '../../src/contracts/sync.ts';
import type { UploadProgress } from '../../src/contracts/upload.ts';
import type { VirtualClock } from './clock.ts';
import type { Execution } from './execution.ts';
import type { Update } from './execution-world.ts';
import type { Namespace } from './namespace.ts';
import { describeFailure, isCancellation } from './payloads.ts';
import type { Action, Call, Plan, PlannedAction } from './plan.ts';
import type { ModelSources } from './source.ts';

export interface OperatorWorld {
  readonly clock: VirtualClock;
  readonly sources: ModelSources;
  readonly namespace: Namespace;
  /** The execution of the upload, or of its piece that runs. */
  readonly execution: (isPiece: boolean) => Execution | undefined;
  readonly progress: (execution: Execution) => Pick<UploadProgress | SyncProgress, 'state' | 'waiting'> | undefined;
  /** @param workflowId of a piece; without it, the whole upload */
  readonly paused: (isPaused: boolean, workflowId?: string) => void;
  /** The memory of a worker is lost. */
  readonly restart: (worker: number) => void;
  readonly trace: (line: string) => void;
  readonly violation: (rule: string, text: string) => void;
}

interface SentUpdate {
  readonly update: Update;
  readonly sentTo: Execution;
  readonly isOnPiece: boolean;
  /** Whether an earlier update of the whole can still reach the piece after it. */
  readonly isOvertaken: boolean;
  /** Attempts that the upload and its uploads had started by then. */
  readonly attempts: number;
  /** Whether the upload was seen to wait when it was sent. */
  readonly isWaiting: boolean;
  isReported: boolean;
}

/** From the report of an upload that continues as new to the first attempt of its next execution, which slow workers delay. */
const MAX_CONTINUE_MS = 10_000;

/** Acts on the upload, its source and its workers. */
export class Operator {
  readonly #plan: Plan;
  readonly #world: OperatorWorld;
  readonly #updates: SentUpdate[] = [];
  /** Workflow IDs of the upload and of the pieces whose last such update was a pause. */
  readonly #pauseWanted = new Set<string>();
  /** Pieces that were resumed although the whole is paused. */
  readonly #resumedAlone = new Set<string>();
  /** Pieces whose pause can follow a resume of the whole that was sent later. */
  readonly #maybePaused = new Set<string>();
  #isStopped = false;

  constructor(plan: Plan, world: OperatorWorld) {
    this.#plan = plan;
    this.#world = world;
  }

  begin(): void {
    for (const planned of this.#plan.actions) {
      if ('atMs' in planned.when) this.#world.clock.after(planned.when.atMs, () => this.#act(planned));
    }
  }

  called(call: Call | 'startPiece' | 'endPiece' | 'forgedEnd', nth: number): void {
    const isDue = ({ when }: PlannedAction) => 'call' in when && when.call === call && when.nth === nth;
    for (const planned of this.#plan.actions.filter(isDue)) {
      const { when } = planned;
      this.#world.clock.after('plusMs' in when ? when.plusMs : 0, () => this.#act(planned));
    }
  }

  /** Reports a pause that has come into effect. */
  notePause(): void {
    for (const id of this.#pauseWanted) {
      const isIt = ({ update, sentTo }: SentUpdate) => update.name === 'pause' && sentTo.start.workflowId === id;
      const last = this.#updates.findLast(isIt);
      if (last?.update.state !== 'completed' || last.isOvertaken) continue;
      if (last.isOnPiece) this.#resumedAlone.delete(id);
      this.#world.paused(true, last.isOnPiece ? id : undefined);
    }
    for (const id of this.#resumedAlone) this.#world.paused(false, id);
  }

  activated(execution: Execution): void {
    for (const sent of this.#updates) {
      const { update } = sent;
      if (sent.isReported || sent.sentTo !== execution || update.state === 'sent' || update.state === 'accepted')
        continue;
      sent.isReported = true;
      this.#world.trace(
        `${update.name} was ${update.state}${update.failure ? `: ${describeFailure(update.failure)}` : ''}`,
      );
      // An upload that was cancelled before ends, and its pause with it.
      const isCancelled = isCancellation(update.failure);
      if (update.state === 'failed' && !isCancelled)
        this.#world.violation('an accepted update succeeds', describeFailure(update.failure));
      if (update.name === 'retry' && update.state === 'completed' && sent.isWaiting)
        this.#checkRetry(execution, sent.attempts);
    }
  }

  /** So that a pause is not taken for the end. @returns false if nothing is paused */
  resumeAtTheEnd(): boolean {
    const execution = this.#world.execution(false);
    if (this.#pauseWanted.size + this.#maybePaused.size === 0 || !execution) return false;
    this.#world.trace('nothing moves while it is paused; the operator resumes it');
    const piece = this.#world.execution(true);
    const isOfPiece = piece !== undefined && this.#pauseWanted.has(piece.start.workflowId);
    this.#update(isOfPiece ? piece : execution, 'resume', isOfPiece);
    return true;
  }

  /** Nothing that was planned happens any longer. */
  stop(): void {
    this.#isStopped = true;
    this.#pauseWanted.clear();
    this.#resumedAlone.clear();
    this.#maybePaused.clear();
    this.#world.sources.problem = undefined;
  }

  async #act({ action, isOnPiece = false }: PlannedAction): Promise<void> {
    if (this.#isStopped) return;
    const { clock, sources, trace } = this.#world;
    const execution = this.#world.execution(isOnPiece);
    if (!execution?.isOpen) return;
    trace(`the operator: ${JSON.stringify(action)}${isOnPiece ? ` on ${execution.start.workflowId}` : ''}`);
    switch (action.kind) {
      case 'pause':
        this.#update(execution, 'pause', isOnPiece, { parts: action.parts });
        return;
      case 'resume':
      case 'retry':
        this.#update(execution, action.kind, isOnPiece);
        return;
      case 'retune':
        this.#update(execution, 'retune', isOnPiece, action.input);
        return;
      case 'cancel':
        execution.cancel();
        return;
      case 'edit-source':
        for (const [path, { sizeBytes }] of sources.files) {
          sources.apply({ edit: 'change', path, sizeBytes: action.sizeBytes ?? sizeBytes });
        }
        return;
      case 'edit-folder':
        sources.apply(action);
        return;
      case 'hide-source':
        sources.problem = action.problem;
        clock.after(action.forMs, () => {
          sources.problem = undefined;
        });
        return;
      case 'kill-worker':
      case 'stop-worker':
        await this.#end(action);
        return;
    }
  }

  /** All that a worker runs ends with it. */
  async #end({ kind, worker }: Action & { readonly worker: number }): Promise<void> {
    this.#world.restart(worker);
    for (const execution of this.#world.namespace.all) {
      for (const task of execution.tasks.values()) {
        if (task.worker !== worker) continue;
        if (kind === 'kill-worker') task.lose();
        else task.shutDown();
      }
      if (execution.worker === worker) await execution.evict();
    }
  }

  #update(execution: Execution, name: string, isOnPiece: boolean, input?: unknown): void {
    const { workflowId } = execution.start;
    if (name === 'pause') {
      this.#pauseWanted.add(workflowId);
      // A piece that is completing rejects the pause.
      if (!isOnPiece) this.#keepPendingResumes();
    }
    if (name === 'resume') {
      // The whole passes it on to the piece. A piece that resumes alone sends although the whole is paused.
      if (isOnPiece) {
        this.#pauseWanted.delete(workflowId);
        this.#resumedAlone.add(workflowId);
      } else this.#resumeAll();
      this.#world.paused(false, isOnPiece ? workflowId : undefined);
    }
    const isWaiting = this.#world.progress(execution)?.state === 'waiting';
    const isPending = ({ update, isOnPiece: isOther }: SentUpdate) =>
      !isOther && (update.state === 'sent' || update.state === 'accepted');
    const isOvertaken = isOnPiece && this.#updates.some(isPending);
    const update = execution.update(name, input);
    const attempts = this.#attempts(execution);
    this.#updates.push({ update, sentTo: execution, attempts, isOnPiece, isOvertaken, isWaiting, isReported: false });
  }

  #resumeAll(): void {
    this.#maybePaused.clear();
    for (const { update, sentTo, isOnPiece } of this.#updates)
      if (isOnPiece && update.name === 'pause' && update.state === 'sent')
        this.#maybePaused.add(sentTo.start.workflowId);
    this.#pauseWanted.clear();
  }

  /** A server passes updates to a workflow after all signals, so that the resume of a piece can follow a later pause of the whole. */
  #keepPendingResumes(): void {
    for (const id of this.#resumedAlone) {
      const isIt = ({ update, sentTo }: SentUpdate) => update.name === 'resume' && sentTo.start.workflowId === id;
      if (this.#updates.findLast(isIt)?.update.state !== 'sent') this.#resumedAlone.delete(id);
    }
  }

  /** @param before as the retry was sent. @param isLater whether no upload can be about to continue as new */
  #checkRetry(execution: Execution, before: number, isLater = false): void {
    const progress = this.#world.progress(execution);
    if (progress?.state !== 'waiting' || !execution.isOpen || this.#pauseWanted.size + this.#maybePaused.size > 0)
      return;
    const all = this.#withUploads(execution);
    const isRunning = all.some(({ tasks }) => tasks.size > 0);
    // A call that has failed again was also an attempt. A continued execution starts with an attempt.
    if (isRunning || this.#attempts(execution) !== before) return;
    // An upload reports that the retry is in effect before it continues as new, which starts with an attempt.
    const isMoving = all.some((one) => one !== execution && one.isDue);
    if (isMoving && !isLater) {
      this.#world.clock.after(MAX_CONTINUE_MS, () => this.#checkRetry(execution, before, true));
      return;
    }
    this.#world.violation('retry starts a new attempt', progress.waiting?.reason ?? '');
  }

  #attempts(execution: Execution): number {
    return this.#withUploads(execution).reduce((sum, { scheduled }) => sum + scheduled, 0);
  }

  /** What a fleet waits for is an attempt of one of its uploads. */
  #withUploads(execution: Execution): Execution[] {
    const isIt = ({ start }: Execution) => start.parent?.workflowId === execution.start.workflowId;
    return [execution, ...this.#world.namespace.all.filter(isIt)];
  }
}
