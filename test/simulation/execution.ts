import type { Control } from '../../workflows/shell/define-workflow.ts';
import { SignalName } from '../../src/contracts/names.ts';
import { ActivityTask, type Resolution } from './activity-task.ts';
import type { VirtualTimer } from './clock.ts';
import type { Close, ExecutionStart, ExecutionWorld, Update } from './execution-world.ts';
import { describeFailure, failureOfError, milliseconds, payloadOf, valueOf } from './payloads.ts';
import { recordedJobs, sameCommands } from './replay.ts';
import { SandboxedWorkflow, type Command, type Job, type Payload } from './run.ts';

interface Recorded {
  readonly atMs: number;
  readonly jobs: readonly Job[];
  readonly commands: readonly Command[];
  readonly historyLength: number;
  readonly continueAsNewSuggested: boolean;
}

/** Events of what is in flight when the server suggests continue-as-new. */
const MAX_EXTRA_EVENTS = 400;

/** One execution of a workflow, from its start to its close or continue-as-new, as the server keeps it. */
export class Execution {
  readonly start: ExecutionStart;
  readonly tasks = new Map<number, ActivityTask>();
  readonly timers = new Map<number, VirtualTimer>();
  /** Results of child workflows and of signals that have not arrived. */
  readonly awaited = new Set<string>();
  memo: Record<string, Payload>;
  searchAttributes: Record<string, Payload>;
  close: Close | undefined;
  /** Whether the last pause or resume that has arrived was a pause. It need not have been reported to anybody. */
  isToldToPause: boolean;
  /** Activities that it and the executions before it have scheduled. */
  scheduled: number;
  /** Changes of its search attributes. */
  upserts = 0;
  /** The worker whose cache has it. */
  worker: number | undefined;
  readonly #world: ExecutionWorld;
  readonly #recorded: Recorded[] = [];
  readonly #updates = new Map<string, Update>();
  #pending: Job[] = [];
  #isTaskScheduled = false;
  #tasksRun = 0;
  #historyLength = 1;
  #sandboxed: SandboxedWorkflow | undefined;

  constructor(world: ExecutionWorld, start: ExecutionStart) {
    this.#world = world;
    this.isToldToPause = start.isToldToPause ?? false;
    this.scheduled = start.scheduled ?? 0;
    this.start = start;
    this.memo = { ...start.memo };
    this.searchAttributes = { ...start.searchAttributes };
    const { workflowId, workflowType, input, firstExecutionRunId, continuedFromRunId, parent } = start;
    this.#push({
      initializeWorkflow: {
        workflowId,
        workflowType,
        arguments: [...input],
        randomnessSeed: 1,
        firstExecutionRunId,
        ...(continuedFromRunId ? { continuedFromExecutionRunId: continuedFromRunId } : {}),
        ...(parent ? { parentWorkflowInfo: { ...parent, namespace: 'default' } } : {}),
        attempt: 1,
        // Of the start: a replay must not see later changes.
        memo: { fields: { ...this.memo } },
        searchAttributes: { indexedFields: { ...this.searchAttributes } },
        headers: {},
      },
    } as unknown as Job);
  }

  get isOpen(): boolean {
    return this.close === undefined;
  }

  /** Whether the next workflow task or the result of a signal or child is due. */
  get isDue(): boolean {
    return this.isOpen && (this.#isTaskScheduled || this.awaited.size > 0);
  }

  get activations(): number {
    return this.#recorded.length;
  }

  get key(): string {
    return `${this.start.workflowId}/${this.start.number}`;
  }

  update(name: string, input: unknown): Update {
    const update: Update = { name, input, state: this.isOpen ? 'sent' : 'lost' };
    if (!this.isOpen) return update;
    const id = `update-${this.#updates.size + 1}`;
    this.#updates.set(id, update);
    const args = input === undefined ? [] : [payloadOf(input)];
    const meta = { identity: 'operator', updateId: id };
    this.#push({ doUpdate: { id, protocolInstanceId: id, name, input: args, headers: {}, meta, runValidator: true } });
    return update;
  }

  signal(signalName: string, input: readonly Payload[]): void {
    if (this.isOpen) this.#push({ signalWorkflow: { signalName, input: [...input], identity: 'simulation' } });
  }

  cancel(): void {
    if (this.isOpen) this.#push({ cancelWorkflow: { reason: 'cancelled by the operator' } });
  }

  /** An event of the server about something that this execution started. */
  resolve(job: Job): void {
    const { resolveChildWorkflowExecutionStart: start, resolveChildWorkflowExecution: child } = job;
    const { resolveSignalExternalWorkflow: signal } = job;
    if (start && !start.succeeded) this.awaited.delete(`child ${start.seq ?? 0}`);
    if (child) this.awaited.delete(`child ${child.seq ?? 0}`);
    if (signal) this.awaited.delete(`signal ${signal.seq ?? 0}`);
    if (this.isOpen) this.#push(job);
  }

  async query(name: string): Promise<unknown> {
    if (!this.#sandboxed) await this.#replay();
    const answer = await (this.#sandboxed as SandboxedWorkflow).query(name);
    if ('failure' in answer && !('data' in answer)) throw new Error(describeFailure(answer.failure));
    return valueOf(answer as Payload);
  }

  /** The worker is lost, or its cache is full: the next task replays. */
  async evict(): Promise<void> {
    await this.#sandboxed?.evict();
    this.#sandboxed = undefined;
    this.worker = undefined;
  }

  #push(job: Job): void {
    this.#pending.push(job);
    this.#historyLength++;
    if (this.#isTaskScheduled) return;
    this.#isTaskScheduled = true;
    const { clock, dice } = this.#world;
    const key = `${this.key}/task-${this.#tasksRun++}`;
    const waitMs = dice.chance(key, 0.1) ? dice.whole(`${key}/slow`, 50, 3000) : dice.whole(`${key}/ms`, 1, 30);
    clock.after(waitMs, () => this.#runTask(key));
  }

  async #runTask(key: string): Promise<void> {
    this.#isTaskScheduled = false;
    // An event of the task before was handled in that task already.
    if (!this.isOpen || this.#pending.length === 0) return;
    if (!this.#sandboxed) await this.#replay();
    this.worker ??= this.#world.pickWorker(key);
    this.#historyLength += 3;
    while (this.#pending.length > 0 && this.isOpen) {
      const jobs = inOrder(this.#pending.splice(0));
      await this.#activate(jobs);
    }
    await this.#world.onActivated(this);
  }

  async #activate(jobs: readonly Job[]): Promise<void> {
    const activation = {
      atMs: this.#world.clock.nowMs,
      jobs,
      historyLength: this.#historyLength,
      continueAsNewSuggested: this.#historyLength >= this.#world.suggestAfterEvents,
    };
    const commands = await (this.#sandboxed as SandboxedWorkflow).activate({ ...activation, isReplaying: false });
    if ('failure' in commands) {
      this.#world.violation('no workflow task fails', describeFailure(commands.failure));
      this.#end({ status: 'failed', failure: commands.failure });
      return;
    }
    this.#recorded.push({ ...activation, commands });
    for (const { signalWorkflow } of jobs) {
      if (signalWorkflow?.signalName === SignalName.control)
        this.#told((valueOf(signalWorkflow.input?.[0]) as Control).type);
    }
    for (const command of commands) {
      this.#world.onAnyCommand(command);
      this.#apply(command);
    }
    if (this.isOpen && this.#historyLength > this.#world.suggestAfterEvents + MAX_EXTRA_EVENTS) {
      this.#world.violation('a history stays short', `${this.#historyLength} events`);
    }
  }

  /** Builds the workflow again in a fresh sandbox, which must return the same commands as before. */
  async #replay(): Promise<void> {
    const startedAtMs = this.#recorded[0]?.atMs ?? this.#world.clock.nowMs;
    this.#sandboxed = await SandboxedWorkflow.create(this.start, startedAtMs);
    for (const recorded of this.#recorded) {
      const jobs = recordedJobs(recorded.jobs, recorded.commands);
      if (jobs.length === 0) continue;
      const commands = await this.#sandboxed.activate({ ...recorded, jobs, isReplaying: true });
      const difference = 'failure' in commands ? describeFailure(commands.failure) : sameCommands(recorded, commands);
      if (difference) this.#world.violation('a replay returns the same commands', difference);
    }
    if (this.#recorded.length > 0) this.#world.trace(`${this.start.workflowId} was replayed by another worker`);
  }

  #apply(command: Command): void {
    const { clock } = this.#world;
    if (command.scheduleActivity) this.#schedule(command.scheduleActivity);
    else if (command.requestCancelActivity) this.#cancelActivity(command.requestCancelActivity.seq ?? 0);
    else if (command.startTimer) {
      const { seq, startToFireTimeout } = command.startTimer;
      const fire = () => {
        this.timers.delete(seq ?? 0);
        this.#push({ fireTimer: { seq: seq ?? 0 } });
      };
      this.#historyLength++;
      this.timers.set(seq ?? 0, clock.after(milliseconds(startToFireTimeout) ?? 0, fire));
    } else if (command.cancelTimer) {
      this.timers.get(command.cancelTimer.seq ?? 0)?.cancel();
      this.timers.delete(command.cancelTimer.seq ?? 0);
      this.#historyLength++;
    } else if (command.updateResponse) this.#respond(command.updateResponse);
    else if (command.upsertWorkflowSearchAttributes) {
      Object.assign(this.searchAttributes, command.upsertWorkflowSearchAttributes.searchAttributes?.indexedFields);
      this.#historyLength++;
      this.upserts++;
    } else if (command.modifyWorkflowProperties) {
      Object.assign(this.memo, command.modifyWorkflowProperties.upsertedMemo?.fields);
    } else if (command.completeWorkflowExecution) {
      this.#end({ status: 'completed', result: command.completeWorkflowExecution.result ?? undefined });
    } else if (command.failWorkflowExecution) {
      this.#end({ status: 'failed', failure: command.failWorkflowExecution.failure ?? failureOfError(new Error()) });
    } else if (command.cancelWorkflowExecution) this.#end({ status: 'cancelled' });
    else if (command.continueAsNewWorkflowExecution) this.#end({ status: 'continued', command });
    else if (command.setPatchMarker) this.#historyLength++;
    else {
      this.#historyLength++;
      const { startChildWorkflowExecution: child, signalExternalWorkflowExecution: signal } = command;
      if (child) this.awaited.add(`child ${child.seq ?? 0}`);
      if (signal) this.awaited.add(`signal ${signal.seq ?? 0}`);
      this.#world.onCommand(this, command);
    }
  }

  #schedule(options: NonNullable<Command['scheduleActivity']>): void {
    const owner = { workflowId: this.start.workflowId, runId: this.start.runId, key: this.key };
    const task: ActivityTask = new ActivityTask(this.#world, options, owner, (result) => this.#closeTask(task, result));
    this.tasks.set(task.seq, task);
    this.scheduled++;
    this.#historyLength++;
    this.#world.onScheduled(this, task);
  }

  #closeTask(task: ActivityTask, result: Resolution): void {
    // What the workflow did not wait for is not reported to it again.
    if (!this.tasks.delete(task.seq)) return;
    this.#historyLength++;
    this.#world.onResolved(this, task, result);
    this.resolve({ resolveActivity: { seq: task.seq, result } });
  }

  #cancelActivity(seq: number): void {
    const task = this.tasks.get(seq);
    if (!task) return;
    this.#historyLength++;
    const immediate = task.requestCancel();
    if (!immediate) return;
    this.tasks.delete(seq);
    this.#world.onResolved(this, task, immediate);
    // The worker itself resolves it within the same workflow task.
    this.#pending.push({ resolveActivity: { seq, result: immediate } });
  }

  #respond({ protocolInstanceId, accepted, rejected, completed }: NonNullable<Command['updateResponse']>): void {
    const update = this.#updates.get(protocolInstanceId ?? '');
    if (!update) return;
    this.#historyLength++;
    if (accepted) {
      update.state = 'accepted';
      this.#told(update.name);
    }
    if (completed) Object.assign(update, { state: 'completed', value: valueOf(completed) });
    if (rejected) Object.assign(update, { state: update.state === 'sent' ? 'rejected' : 'failed', failure: rejected });
  }

  #told(control: string): void {
    if (control === 'pause' || control === 'resume') this.isToldToPause = control === 'pause';
  }

  #end(close: Close): void {
    this.close = close;
    for (const timer of this.timers.values()) timer.cancel();
    for (const task of this.tasks.values()) task.drop();
    for (const update of this.#updates.values()) if (update.state === 'sent') update.state = 'lost';
    this.#world.onClosed(this, close);
  }
}

/** The core's order: the start, signals, updates, which a server delivers after all events, and everything else. */
export function inOrder(jobs: readonly Job[]): Job[] {
  const rank = (job: Job) => (job.initializeWorkflow ? 0 : job.signalWorkflow ? 1 : job.doUpdate ? 2 : 3);
  return [0, 1, 2, 3].flatMap((wanted) => jobs.filter((job) => rank(job) === wanted));
}
