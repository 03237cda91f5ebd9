import { SignalName } from '../../src/contracts/names.ts';
import type { VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import { Execution } from './execution.ts';
import type { Close, ExecutionWorld } from './execution-world.ts';
import { payloadOf, RetryState, valueOf } from './payloads.ts';
import type { Command, Failure, Payload } from './run.ts';

export interface WorkflowStart {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly input: readonly Payload[];
  readonly memo?: Readonly<Record<string, Payload>>;
  readonly parent?: { readonly workflowId: string; readonly runId: string };
}

interface Child {
  readonly parent: Execution;
  readonly seq: number;
  readonly closePolicy: number;
}

/** As in the enums of Temporal. */
const REQUEST_CANCEL = 3;
const ALLOW_DUPLICATE_FAILED_ONLY = 2;
const WORKFLOW_ALREADY_EXISTS = 1;

/** How often an execution starts with such a signal. */
const EARLY_REPORT = 0.1;

/** All workflows of a simulation, as the server keeps them: starts, children and continue-as-new. */
export class Namespace {
  readonly #clock: VirtualClock;
  readonly #dice: Dice;
  readonly #world: () => ExecutionWorld;
  readonly #onSignal: (from: Execution, workflowId: string, name: string, isReceived: boolean) => void;
  /** The newest execution of each workflow ID. */
  readonly #newest = new Map<string, Execution>();
  /** Children that run, by their workflow ID. */
  readonly #children = new Map<string, Child>();
  readonly #lastResults = new Map<string, unknown>();
  #started = 0;

  constructor(
    clock: VirtualClock,
    dice: Dice,
    world: () => ExecutionWorld,
    onSignal: (from: Execution, workflowId: string, name: string, isReceived: boolean) => void,
  ) {
    this.#onSignal = onSignal;
    this.#clock = clock;
    this.#dice = dice;
    this.#world = world;
  }

  get started(): number {
    return this.#started;
  }

  get all(): Execution[] {
    return [...this.#newest.values()];
  }

  at(workflowId: string): Execution | undefined {
    return this.#newest.get(workflowId);
  }

  /** Of the last execution with this workflow ID that completed. */
  lastResult(workflowId: string): unknown {
    return this.#lastResults.get(workflowId);
  }

  start({ workflowType, workflowId, input, memo, parent }: WorkflowStart, previous?: Execution): Execution {
    const runId = `run-${++this.#started}`;
    const execution = new Execution(this.#world(), {
      workflowId,
      runId,
      workflowType,
      taskQueue: 'longhaul',
      firstExecutionRunId: previous?.start.firstExecutionRunId ?? runId,
      number: (this.at(workflowId)?.start.number ?? 0) + 1,
      input,
      memo,
      parent,
      isToldToPause: previous?.isToldToPause,
      scheduled: this.at(workflowId)?.scheduled,
      ...(previous ? { continuedFromRunId: previous.start.runId, searchAttributes: previous.searchAttributes } : {}),
    });
    this.#newest.set(workflowId, execution);
    // Any client can send a signal, and the uploads of the previous execution do. It arrives before the first task.
    if (this.#dice.chance(`${execution.key}/early-report`, EARLY_REPORT))
      execution.signal(SignalName.report, ['another-upload', { waiting: null }].map(payloadOf));
    return execution;
  }

  continueAsNew(execution: Execution, command: Command): Execution {
    const { workflowType, workflowId, parent } = execution.start;
    const input = command.continueAsNewWorkflowExecution?.arguments ?? [];
    const start = { workflowType, workflowId, input, memo: execution.memo, parent };
    return this.start(start, execution);
  }

  /** @returns false for a command that is not about another workflow */
  command(execution: Execution, command: Command): boolean {
    const { startChildWorkflowExecution: start, cancelChildWorkflowExecution: cancel } = command;
    if (start) {
      const work = () => this.#startChild(execution, start);
      this.#later(`${execution.key}/child-${start.seq ?? 0}`, work);
    } else if (cancel) {
      const seq = cancel.childWorkflowSeq ?? 0;
      const isIt = (child: Child) => child.parent === execution && child.seq === seq;
      const work = () => {
        for (const [id, child] of this.#children) if (isIt(child)) this.at(id)?.cancel();
      };
      // After the start, which takes at most as long.
      this.#clock.after(MAX_DELAY_MS, () => this.#later(`${execution.key}/cancel-${seq}`, work));
    } else if (command.signalExternalWorkflowExecution)
      this.#signal(execution, command.signalExternalWorkflowExecution);
    else if (!command.cancelSignalWorkflow) return false;
    return true;
  }

  /** Signals of one workflow can arrive in another order than they were sent. */
  #signal(execution: Execution, signal: NonNullable<Command['signalExternalWorkflowExecution']>): void {
    const { seq = 0, childWorkflowId, workflowExecution, signalName, args } = signal;
    const workflowId = childWorkflowId ?? workflowExecution?.workflowId ?? '';
    this.#later(`${execution.key}/signal-${seq ?? 0}`, () => {
      const target = this.at(workflowId);
      const isOpen = target?.isOpen === true;
      if (isOpen) target.signal(signalName ?? '', args ?? []);
      const failure: Failure = { message: `unable to signal ${workflowId}: not found`, applicationFailureInfo: {} };
      const job = { seq, ...(isOpen ? {} : { failure }) };
      this.#later(`${execution.key}/signalled-${seq ?? 0}`, () =>
        execution.resolve({ resolveSignalExternalWorkflow: job }),
      );
      this.#onSignal(execution, workflowId, signalName ?? '', isOpen);
    });
  }

  /** Reports the end of an execution to its parent, and to its children. */
  closed(execution: Execution, close: Close): void {
    if (close.status === 'continued') return;
    for (const [id, child] of this.#children) {
      if (child.parent !== execution || child.closePolicy !== REQUEST_CANCEL) continue;
      this.#later(`${execution.key}/closes-${id}`, () => this.at(id)?.cancel());
    }
    const { workflowId } = execution.start;
    if (close.status === 'completed') this.#lastResults.set(workflowId, valueOf(close.result));
    const link = this.#children.get(workflowId);
    if (!link) return;
    this.#children.delete(workflowId);
    const result = resultOf(execution, close);
    const resolve = () => link.parent.resolve({ resolveChildWorkflowExecution: { seq: link.seq, result } });
    this.#later(`${execution.key}/result`, resolve);
  }

  #startChild(parent: Execution, start: NonNullable<Command['startChildWorkflowExecution']>): void {
    if (!parent.isOpen) return;
    const { input, memo, workflowIdReusePolicy, parentClosePolicy } = start;
    const { workflowType, workflowId, seq } = {
      workflowType: start.workflowType ?? '',
      workflowId: start.workflowId ?? '',
      seq: start.seq ?? 0,
    };
    const existing = this.at(workflowId);
    const isDone = existing?.close?.status === 'completed' && workflowIdReusePolicy === ALLOW_DUPLICATE_FAILED_ONLY;
    if (existing?.isOpen || isDone) {
      const failed = { workflowId, workflowType, cause: WORKFLOW_ALREADY_EXISTS };
      parent.resolve({ resolveChildWorkflowExecutionStart: { seq, failed } });
      return;
    }
    this.#children.set(workflowId, { parent, seq, closePolicy: parentClosePolicy ?? 0 });
    const { runId } = parent.start;
    const child = this.start({
      workflowType,
      workflowId,
      input: input ?? [],
      memo: memo ?? {},
      parent: { workflowId: parent.start.workflowId, runId },
    });
    parent.resolve({ resolveChildWorkflowExecutionStart: { seq, succeeded: { runId: child.start.runId } } });
  }

  #later(key: string, run: () => void): void {
    this.#clock.after(this.#dice.whole(key, 1, MAX_DELAY_MS), run);
  }
}

const MAX_DELAY_MS = 25;

type ChildResult = NonNullable<
  NonNullable<NonNullable<Parameters<Execution['resolve']>[0]['resolveChildWorkflowExecution']>['result']>
>;

function resultOf({ start }: Execution, close: Exclude<Close, { readonly status: 'continued' }>): ChildResult {
  if (close.status === 'completed') return { completed: { result: close.result ?? null } };
  const wrapped = (cause: Failure): Failure => ({
    message: 'Child Workflow execution failed',
    cause,
    childWorkflowExecutionFailureInfo: {
      namespace: 'default',
      workflowExecution: { workflowId: start.workflowId, runId: start.runId },
      workflowType: { name: start.workflowType },
      retryState: RetryState.NON_RETRYABLE_FAILURE,
    },
  });
  if (close.status === 'cancelled') {
    return { cancelled: { failure: wrapped({ message: 'cancelled', canceledFailureInfo: {} }) } };
  }
  return { failed: { failure: wrapped(close.failure) } };
}
