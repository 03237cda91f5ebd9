import type { UploadProgress } from '../../src/contracts/upload.ts';
import type { VirtualClock } from './clock.ts';
import type { Execution, Update } from './execution.ts';
import { describeFailure } from './payloads.ts';
import type { Action, Call, Plan, PlannedAction } from './plan.ts';
import type { ModelSource } from './source.ts';

export interface OperatorWorld {
  readonly clock: VirtualClock;
  readonly source: ModelSource;
  readonly execution: () => Execution;
  readonly progress: () => UploadProgress | undefined;
  readonly paused: (isPaused: boolean) => void;
  readonly trace: (line: string) => void;
  readonly violation: (rule: string, text: string) => void;
}

interface SentUpdate {
  readonly update: Update;
  readonly sentTo: Execution;
  /** Whether the upload was seen to wait when it was sent. */
  readonly isWaiting: boolean;
  isReported: boolean;
}

/** Whoever acts on the upload, its source and its workers. */
export class Operator {
  readonly #plan: Plan;
  readonly #world: OperatorWorld;
  readonly #updates: SentUpdate[] = [];
  /** Whether the last of both was a pause. */
  #isPauseWanted = false;

  constructor(plan: Plan, world: OperatorWorld) {
    this.#plan = plan;
    this.#world = world;
  }

  begin(): void {
    for (const { when, action } of this.#plan.actions) {
      if ('atMs' in when) this.#world.clock.after(when.atMs, () => this.#act(action));
    }
  }

  called(call: Call, nth: number): void {
    const isDue = ({ when }: PlannedAction) => 'call' in when && when.call === call && when.nth === nth;
    for (const { when, action } of this.#plan.actions.filter(isDue)) {
      this.#world.clock.after('plusMs' in when ? when.plusMs : 0, () => this.#act(action));
    }
  }

  /** Reports a pause that has come into effect. */
  notePause(): void {
    const last = this.#updates.findLast(({ update }) => update.name === 'pause');
    if (this.#isPauseWanted && last?.update.state === 'completed') this.#world.paused(true);
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
      const isCancelled =
        update.failure?.canceledFailureInfo !== undefined && update.failure.canceledFailureInfo !== null;
      if (update.state === 'failed' && !isCancelled)
        this.#world.violation('an accepted update succeeds', describeFailure(update.failure));
      if (update.name === 'retry' && update.state === 'completed' && sent.isWaiting) this.#checkRetry(execution);
    }
  }

  /** So that a pause is not taken for the end. @returns false if nothing is paused */
  resumeAtTheEnd(): boolean {
    const execution = this.#world.execution();
    if (!this.#isPauseWanted) return false;
    this.#world.trace('nothing moves while it is paused; the operator resumes it');
    this.#update(execution, 'resume');
    return true;
  }

  async #act(action: Action): Promise<void> {
    const { clock, source, trace } = this.#world;
    const execution = this.#world.execution();
    if (!execution.isOpen) return;
    trace(`the operator: ${JSON.stringify(action)}`);
    switch (action.kind) {
      case 'pause':
        this.#update(execution, 'pause', { parts: action.parts });
        return;
      case 'resume':
      case 'retry':
        this.#update(execution, action.kind);
        return;
      case 'retune':
        this.#update(execution, 'retune', action.input);
        return;
      case 'cancel':
        execution.cancel();
        return;
      case 'edit-source':
        source.edit(action.sizeBytes);
        return;
      case 'hide-source':
        source.problem = action.problem;
        clock.after(action.forMs, () => {
          source.problem = undefined;
        });
        return;
      case 'kill-worker':
        for (const task of execution.tasks.values()) if (task.worker === action.worker) task.lose();
        if (execution.worker === action.worker) await execution.evict();
        return;
      case 'stop-worker':
        for (const task of execution.tasks.values()) if (task.worker === action.worker) task.shutDown();
        if (execution.worker === action.worker) await execution.evict();
        return;
    }
  }

  #update(execution: Execution, name: string, input?: unknown): void {
    if (name === 'pause') this.#isPauseWanted = true;
    if (name === 'resume') {
      this.#isPauseWanted = false;
      this.#world.paused(false);
    }
    const isWaiting = this.#world.progress()?.state === 'waiting';
    this.#updates.push({ update: execution.update(name, input), sentTo: execution, isWaiting, isReported: false });
  }

  #checkRetry(execution: Execution): void {
    const progress = this.#world.progress();
    if (progress?.state !== 'waiting' || !execution.isOpen || this.#isPauseWanted) return;
    if (execution.tasks.size === 0) this.#world.violation('retry starts a new attempt', progress.waiting?.reason ?? '');
  }
}
