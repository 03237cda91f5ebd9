import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { inOrder } from './execution.ts';
import { valueOf } from './payloads.ts';
import { SandboxedWorkflow, type Command, type Failure, type Job, type Payload } from './run.ts';

type Event = temporal.api.history.v1.IHistoryEvent;

const folder = fileURLToPath(new URL('../replay/histories', import.meta.url));
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));

/**
 * Histories of a real server, some with kills, through the model's view of a history: its jobs, in its order, must lead to
 * the commands that the real worker returned.
 */
describe('the model of Temporal', () => {
  it.each(names)('accepts the recorded history %s', async (name) => {
    const json: unknown = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
    const { events } = historyFromJSON(json);
    const { expected, actual } = await runAsModel(events ?? []);
    expect(actual).toEqual(expected);
  });
});

/** A workflow task with the events that came before it, and the commands that it led to. */
interface Task {
  readonly startedAtMs: number;
  readonly before: readonly Event[];
  readonly commands: readonly Event[];
  readonly historyLength: number;
  readonly continueAsNewSuggested: boolean;
}

async function runAsModel(events: readonly Event[]): Promise<{ expected: string[][]; actual: string[][] }> {
  const [first] = events;
  const started = first?.workflowExecutionStartedEventAttributes;
  if (!first || !started) throw new Error('the history has no start');
  const { workflowType, firstExecutionRunId, originalExecutionRunId, continuedExecutionRunId } = started;
  const start = {
    workflowId: started.workflowId ?? 'workflow',
    runId: originalExecutionRunId ?? 'run',
    workflowType: workflowType?.name ?? '',
    taskQueue: started.taskQueue?.name ?? '',
    firstExecutionRunId: firstExecutionRunId ?? '',
    continuedFromRunId: continuedExecutionRunId || undefined,
  };
  const workflow = await SandboxedWorkflow.create(start, timeOf(first));
  const numbers = new Numbers(events);
  const immediate = new Set<number>();
  const all: Command[] = [];
  const expected: string[][] = [];
  const actual: string[][] = [];
  try {
    for (const task of tasksOf(events)) {
      const { startedAtMs: atMs, historyLength, continueAsNewSuggested } = task;
      const jobs = [...task.before.flatMap((event) => jobsOf(event, numbers, immediate)), ...lookAhead(task.commands)];
      const patches = jobs.filter((job) => job.notifyHasPatch);
      let pending = [...patches, ...inOrder(jobs.filter((job) => !job.notifyHasPatch))];
      const commands: Command[] = [];
      while (pending.length > 0) {
        const activation = { atMs, jobs: pending, historyLength, continueAsNewSuggested, isReplaying: true };
        const answer = await workflow.activate(activation);
        if ('failure' in answer) throw new Error(`the workflow task failed: ${answer.failure.message ?? ''}`);
        commands.push(...answer);
        all.push(...answer);
        pending = cancelledNow(answer, all, immediate);
      }
      expected.push(
        task.commands.flatMap((event) => nameOfEvent(event, numbers) ?? []).filter((name) => name !== 'of patch'),
      );
      actual.push(commands.flatMap((command) => nameOfCommand(command, numbers) ?? []));
    }
  } finally {
    await workflow.evict();
  }
  return { expected, actual };
}

/** Divides a history as workers do: an event that arrives during a task is of the next one. */
function tasksOf(events: readonly Event[]): Task[] {
  const tasks: Task[] = [];
  let before: Event[] = [];
  let during: Event[] = [];
  let started: Event | undefined;
  for (const [index, event] of events.entries()) {
    if (event.workflowTaskStartedEventAttributes) {
      started = event;
      continue;
    }
    if (event.workflowTaskCompletedEventAttributes && started) {
      const rest = events.slice(index + 1);
      const end = rest.findIndex((other) => nameOfEvent(other) === undefined);
      const { suggestContinueAsNew } = started.workflowTaskStartedEventAttributes ?? {};
      tasks.push({
        startedAtMs: timeOf(started),
        before,
        commands: end === -1 ? rest : rest.slice(0, end),
        historyLength: Number(started.eventId),
        continueAsNewSuggested: suggestContinueAsNew ?? false,
      });
      before = during;
      during = [];
      started = undefined;
    } else if (event.workflowTaskTimedOutEventAttributes || event.workflowTaskFailedEventAttributes) {
      before = [...before, ...during];
      during = [];
      started = undefined;
    } else if (started) during.push(event);
    else before.push(event);
  }
  return tasks;
}

function timeOf({ eventTime }: Event): number {
  return Number(eventTime?.seconds ?? 0) * 1000 + Math.floor((eventTime?.nanos ?? 0) / 1e6);
}

/** Numbers of the SDK, by the events that started what has them. */
class Numbers {
  readonly #events: ReadonlyMap<number, Event>;
  readonly #children: readonly Event[];
  readonly #signals: readonly Event[];

  constructor(events: readonly Event[]) {
    this.#events = new Map(events.map((event) => [Number(event.eventId), event]));
    this.#children = events.filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
    this.#signals = events.filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes);
  }

  activity(scheduledEventId: unknown): number {
    return Number(this.#events.get(Number(scheduledEventId))?.activityTaskScheduledEventAttributes?.activityId);
  }

  activityType(scheduledEventId: unknown): string {
    return this.#events.get(Number(scheduledEventId))?.activityTaskScheduledEventAttributes?.activityType?.name ?? '';
  }

  child(initiatedEventId: unknown): number {
    return this.#children.findIndex(({ eventId }) => Number(eventId) === Number(initiatedEventId)) + 1;
  }

  signal(initiatedEventId: unknown): number {
    return this.#signals.findIndex(({ eventId }) => Number(eventId) === Number(initiatedEventId)) + 1;
  }

  childId(seq: number): string {
    return this.#children[seq - 1]?.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? '';
  }
}

/** Job of a worker for the workflow, from an event of the history. */
function jobsOf(event: Event, numbers: Numbers, immediate: ReadonlySet<number>): Job[] {
  const activity = activityResult(event);
  if (activity) {
    const seq = numbers.activity(activity.scheduledEventId);
    // A worker has resolved it when its cancellation was requested.
    if (immediate.has(seq)) return [];
    const wrapped = (failure: Failure | null | undefined): Failure => ({
      message: 'Activity task failed',
      cause: failure,
      activityFailureInfo: {
        activityType: { name: numbers.activityType(activity.scheduledEventId) },
        activityId: String(seq),
        retryState: activity.retryState,
      },
    });
    const { completed, failure, isCancelled } = activity;
    if (completed) return [{ resolveActivity: { seq, result: { completed } } }];
    const ended = { failure: wrapped(isCancelled ? { message: 'cancelled', canceledFailureInfo: {} } : failure) };
    return [{ resolveActivity: { seq, result: isCancelled ? { cancelled: ended } : { failed: ended } } }];
  }
  const started = event.workflowExecutionStartedEventAttributes;
  if (started) return [initialization(started)];
  const fired = event.timerFiredEventAttributes;
  if (fired) return [{ fireTimer: { seq: Number(fired.timerId) } }];
  if (event.workflowExecutionCancelRequestedEventAttributes) return [{ cancelWorkflow: { reason: '' } }];
  const signal = event.workflowExecutionSignaledEventAttributes;
  if (signal) return [{ signalWorkflow: { signalName: signal.signalName, input: signal.input?.payloads ?? [] } }];
  return [...signalJobs(event, numbers), ...childJobs(event, numbers)];
}

interface ActivityEnd {
  readonly scheduledEventId?: unknown;
  readonly retryState?: number | null;
  readonly failure?: Failure | null;
  readonly completed?: { readonly result: Payload | undefined };
  readonly isCancelled?: boolean;
}

function activityResult(event: Event): ActivityEnd | undefined {
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed) {
    const { scheduledEventId, result } = completed;
    return { scheduledEventId, completed: { result: result?.payloads?.[0] } };
  }
  const ended = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  if (ended) return ended;
  const cancelled = event.activityTaskCanceledEventAttributes;
  return cancelled ? { scheduledEventId: cancelled.scheduledEventId, isCancelled: true } : undefined;
}

function initialization(started: NonNullable<Event['workflowExecutionStartedEventAttributes']>): Job {
  return {
    initializeWorkflow: {
      workflowId: started.workflowId,
      workflowType: started.workflowType?.name,
      arguments: started.input?.payloads ?? [],
      firstExecutionRunId: started.firstExecutionRunId,
      continuedFromExecutionRunId: started.continuedExecutionRunId,
      attempt: 1,
      memo: started.memo ?? { fields: {} },
      searchAttributes: started.searchAttributes ?? { indexedFields: {} },
      headers: {},
    },
  };
}

function signalJobs(event: Event, numbers: Numbers): Job[] {
  const received = event.externalWorkflowExecutionSignaledEventAttributes;
  const lost = event.signalExternalWorkflowExecutionFailedEventAttributes;
  const { initiatedEventId } = received ?? lost ?? {};
  if (!received && !lost) return [];
  const failure: Failure = { message: 'unable to signal', applicationFailureInfo: {} };
  const seq = numbers.signal(initiatedEventId);
  return [{ resolveSignalExternalWorkflow: { seq, ...(lost ? { failure } : {}) } }];
}

function childJobs(event: Event, numbers: Numbers): Job[] {
  const started = event.childWorkflowExecutionStartedEventAttributes;
  if (started) {
    const succeeded = { runId: started.workflowExecution?.runId };
    return [{ resolveChildWorkflowExecutionStart: { seq: numbers.child(started.initiatedEventId), succeeded } }];
  }
  const notStarted = event.startChildWorkflowExecutionFailedEventAttributes;
  if (notStarted) {
    const { workflowId, workflowType } = notStarted;
    const failed = { workflowId, workflowType: workflowType?.name, cause: 1 };
    return [{ resolveChildWorkflowExecutionStart: { seq: numbers.child(notStarted.initiatedEventId), failed } }];
  }
  const completed = event.childWorkflowExecutionCompletedEventAttributes;
  const failed = event.childWorkflowExecutionFailedEventAttributes;
  const cancelled = event.childWorkflowExecutionCanceledEventAttributes;
  const ended = completed ?? failed ?? cancelled;
  if (!ended) return [];
  const { workflowExecution, workflowType, initiatedEventId } = ended;
  const wrapped = (cause: Failure | null | undefined) => ({
    failure: {
      message: 'Child Workflow execution failed',
      cause,
      childWorkflowExecutionFailureInfo: { namespace: 'default', workflowExecution, workflowType, retryState: 2 },
    },
  });
  const result = completed
    ? { completed: { result: completed.result?.payloads?.[0] } }
    : failed
      ? { failed: wrapped(failed.failure) }
      : { cancelled: wrapped({ message: 'cancelled', canceledFailureInfo: {} }) };
  return [{ resolveChildWorkflowExecution: { seq: numbers.child(initiatedEventId), result } }];
}

/** What a worker reads ahead: patches, and updates that the task accepted. */
function lookAhead(commands: readonly Event[]): Job[] {
  return commands.flatMap((event): Job[] => {
    const marker = event.markerRecordedEventAttributes;
    const patch = marker?.details?.['patch-data']?.payloads?.[0] ?? marker?.details?.['data']?.payloads?.[0];
    if (patch) return [{ notifyHasPatch: { patchId: (valueOf(patch) as { readonly id: string }).id } }];
    const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
    if (!accepted) return [];
    const { protocolInstanceId, acceptedRequest } = accepted;
    const { meta, input } = acceptedRequest ?? {};
    const { name, args } = input ?? {};
    const id = meta?.updateId;
    const own = { id, protocolInstanceId, name, input: args?.payloads ?? [], headers: {}, meta, runValidator: false };
    return [{ doUpdate: own }];
  });
}

/** Activities whose cancellation is not awaited end in the same task. */
function cancelledNow(answer: readonly Command[], all: readonly Command[], immediate: Set<number>): Job[] {
  return answer.flatMap(({ requestCancelActivity }): Job[] => {
    const seq = requestCancelActivity?.seq ?? 0;
    const options = all.find(({ scheduleActivity }) => scheduleActivity?.seq === seq)?.scheduleActivity;
    if (!requestCancelActivity || options?.cancellationType === WAIT_CANCELLATION_COMPLETED) return [];
    immediate.add(seq);
    const failure = { message: 'Activity cancelled', cause: { message: 'cancelled', canceledFailureInfo: {} } };
    const wrapped = { ...failure, activityFailureInfo: { activityType: { name: options?.activityType } } };
    return [{ resolveActivity: { seq, result: { cancelled: { failure: wrapped } } } }];
  });
}

/** As in the enum of the SDK's core. */
const WAIT_CANCELLATION_COMPLETED = 1;

/** The command that led to an event; undefined for an event that no command led to. */
function nameOfEvent(event: Event, numbers?: Numbers): string | undefined {
  const activity = event.activityTaskScheduledEventAttributes;
  if (activity) return `activity ${activity.activityId ?? ''} ${activity.activityType?.name ?? ''}`;
  const cancelled = event.activityTaskCancelRequestedEventAttributes;
  if (cancelled) return `cancel activity ${numbers?.activity(cancelled.scheduledEventId) ?? ''}`;
  if (event.timerStartedEventAttributes) return `timer ${event.timerStartedEventAttributes.timerId ?? ''}`;
  if (event.timerCanceledEventAttributes) return `cancel timer ${event.timerCanceledEventAttributes.timerId ?? ''}`;
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (child) return `child ${child.workflowId ?? ''}`;
  const signal = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
  if (signal) return `signal ${signal.signalName ?? ''}`;
  const other = event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes;
  if (other) return `cancel child ${other.workflowExecution?.workflowId ?? ''}`;
  const attributes = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  // The worker adds this one to each patch.
  if (attributes && 'TemporalChangeVersion' in attributes) return 'of patch';
  if (attributes) return 'attributes';
  if (event.workflowPropertiesModifiedEventAttributes) return 'memo';
  if (event.markerRecordedEventAttributes) return 'patch';
  if (event.workflowExecutionUpdateAcceptedEventAttributes) return 'update accepted';
  if (event.workflowExecutionUpdateCompletedEventAttributes) return 'update completed';
  if (event.workflowExecutionCompletedEventAttributes) return 'completed';
  if (event.workflowExecutionFailedEventAttributes) return 'failed';
  if (event.workflowExecutionCanceledEventAttributes) return 'cancelled';
  return event.workflowExecutionContinuedAsNewEventAttributes ? 'continued as new' : undefined;
}

function nameOfCommand(command: Command, numbers: Numbers): string | undefined {
  const { scheduleActivity: activity, startTimer, cancelTimer, requestCancelActivity, updateResponse } = command;
  const { startChildWorkflowExecution: child, cancelChildWorkflowExecution: cancelled } = command;
  if (activity) return `activity ${activity.seq ?? ''} ${activity.activityType ?? ''}`;
  if (requestCancelActivity) return `cancel activity ${requestCancelActivity.seq ?? ''}`;
  if (startTimer) return `timer ${startTimer.seq ?? ''}`;
  if (cancelTimer) return `cancel timer ${cancelTimer.seq ?? ''}`;
  if (child) return `child ${child.workflowId ?? ''}`;
  const signal = command.signalExternalWorkflowExecution;
  if (signal) return `signal ${signal.signalName ?? ''}`;
  if (cancelled) return `cancel child ${numbers.childId(cancelled.childWorkflowSeq ?? 0)}`;
  if (command.upsertWorkflowSearchAttributes) return 'attributes';
  if (command.modifyWorkflowProperties) return 'memo';
  if (command.setPatchMarker) return 'patch';
  if (updateResponse) return updateResponse.accepted ? 'update accepted' : 'update completed';
  if (command.completeWorkflowExecution) return 'completed';
  if (command.failWorkflowExecution) return 'failed';
  if (command.cancelWorkflowExecution) return 'cancelled';
  return command.continueAsNewWorkflowExecution ? 'continued as new' : Object.keys(command).join();
}
