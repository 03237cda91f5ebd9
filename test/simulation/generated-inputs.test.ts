import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { firstCall, withFilename } from '../../activities/first-call.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { QueryName } from '../../src/contracts/names.ts';
import { syncRequest } from '../../src/contracts/requests/sync.ts';
import { splitRequest, uploadRequest } from '../../src/contracts/requests/upload.ts';
import { MAX_MESSAGE_LENGTH } from '../../src/core/text/clip.ts';
import { mockDestination } from '../support/mock-activity.ts';
import { generatedRuns } from '../support/mutated.ts';
import { json, strangeInputs, strangeSignals, strangeStarts, type Start } from '../support/generated-inputs.ts';
import { commandProblems } from './command-limits.ts';
import { failureOfError, payloadOf, RetryState, valueOf } from './payloads.ts';
import { SandboxedWorkflow, type Command, type Failure, type Job, type Payload } from './run.ts';

/*
 * Any program that can connect to Temporal can start a workflow with any input, and send any message to it. The source of these
 * workflows has 100 bytes, and the service rejects their key: uploads that start wait.
 */

/** Generated inputs of each kind. */
const RUNS = generatedRuns(20);
/** A longer history takes longer. */
const RUNS_OF_ONE = 20;
const timeout = 60_000 + RUNS * 100;

const STARTED_AT_MS = Date.UTC(2027, 0, 4);
const PURPOSE = 'assistants';
const info = { sizeBytes: 100, fingerprint: 'f' };
const dependencies = { destination: () => mockDestination({}) };

const planned = (path: string) => ({
  path,
  filename: path,
  sizeBytes: 9_000_000,
  fingerprint: 'f',
  version: '1',
  key: path,
});
const totals = {
  listed: { files: 1, bytes: 9_000_000 },
  same: 0,
  knownContent: 0,
  toSend: { files: 1, bytes: 9_000_000 },
  problems: [],
  leftOut: [],
  problemCount: 0,
  leftOutCount: 0,
};
const batch = {
  type: 'batch',
  totals,
  uploads: [planned('a.bin')],
  recognised: [],
  deletions: [],
  hasDeletions: false,
  deletionCount: 0,
  deletionsHeld: null,
  decisions: [],
  decisionsOmitted: 0,
  forget: [],
  next: null,
};

/** Results of the activities that check the request. */
const activities: Readonly<Record<string, (input: { readonly request?: unknown }) => Promise<unknown>>> = {
  inspectSource: ({ request: input }) =>
    firstCall(
      { schema: uploadRequest, input, complete: withFilename },
      { attempt: 1 },
      dependencies,
      async (request) => ({
        ...info,
        request: { ...request, partSizeBytes: 1_048_576 },
      }),
    ),
  planSplit: ({ request: input }) =>
    firstCall({ schema: splitRequest, input, complete: withFilename }, { attempt: 1 }, dependencies, async () => ({
      ...info,
      pieces: [
        { offsetBytes: 0, sizeBytes: 60 },
        { offsetBytes: 60, sizeBytes: 40 },
      ],
    })),
  recallSync: async () => null,
  planSync: async ({ request: input }) => {
    if (input === undefined) return batch;
    const complete = (request: ReturnType<typeof syncRequest.parse>) => ({
      request,
      subject: { filename: 'data', purpose: PURPOSE, destination: 'default' },
      giveUpAfterMs: request.upload.giveUpAfterMs,
    });
    const call = async () => ({});
    const admitted = await firstCall({ schema: syncRequest, input, complete }, { attempt: 1 }, dependencies, call);
    return { ...batch, admitted };
  },
  packSyncMemory: async () => ({ format: 'gzip-rows-1', entries: 0, dropped: 0, data: 'AAAA' }),
};

async function resolutionOf(activityType: string, input: object): Promise<object> {
  const activity = activities[activityType];
  try {
    if (!activity) throw ApplicationFailure.nonRetryable('401', FailureType.ApiRejected, { status: 401 });
    return { completed: { result: payloadOf(await activity(input)) } };
  } catch (error) {
    const activityFailureInfo = { activityType: { name: activityType }, retryState: RetryState.NON_RETRYABLE_FAILURE };
    return { failed: { failure: { message: 'failed', cause: failureOfError(error), activityFailureInfo } } };
  }
}

/** A workflow in the sandbox of a worker, and the problems of its tasks. */
class Caller {
  readonly problems: string[] = [];
  failure: Failure | undefined;
  /** Workflow IDs of the uploads that it started. */
  readonly children: string[] = [];
  readonly #workflow: SandboxedWorkflow;
  isOpen = true;
  #tasks = 0;

  private constructor(workflow: SandboxedWorkflow) {
    this.#workflow = workflow;
  }

  static async start(one: Start): Promise<Caller> {
    const workflowId = one.workflowId ?? 'w';
    const start = { workflowId, runId: 'r', workflowType: one.type, taskQueue: 'q', firstExecutionRunId: 'r' };
    const caller = new Caller(await SandboxedWorkflow.create(start, STARTED_AT_MS));
    const memo = { fields: { ...one.memo } };
    const initializeWorkflow = { ...start, arguments: [...one.payloads], attempt: 1, headers: {}, memo };
    await caller.send({ initializeWorkflow }, ...(one.signal ? [signalOf(one.signal.name, one.signal.payloads)] : []));
    return caller;
  }

  /** Runs workflow tasks until all calls of the workflow have ended. */
  async send(...sent: Job[]): Promise<void> {
    let jobs = sent;
    for (const endsAt = this.#tasks + 50; jobs.length > 0 && this.isOpen && this.#tasks < endsAt; this.#tasks++) {
      const atMs = STARTED_AT_MS + this.#tasks;
      const rest = { historyLength: 3 + this.#tasks, continueAsNewSuggested: false, isReplaying: false };
      const commands = await this.#workflow.activate({ atMs, jobs, ...rest });
      if ('failure' in commands) {
        this.problems.push(`a workflow task failed: ${commands.failure.message}`);
        this.isOpen = false;
        return;
      }
      const next = commands.map((command) => this.#jobsOf(command));
      jobs = (await Promise.all(next)).flat();
    }
  }

  update(name: string, payload: Payload): Promise<void> {
    const id = `update-${this.#tasks}`;
    const meta = { identity: 'caller', updateId: id };
    const update = { id, protocolInstanceId: id, name, input: [payload], headers: {}, meta, runValidator: true };
    return this.send({ doUpdate: update });
  }

  signal(name: string, payloads: readonly Payload[]): Promise<void> {
    return this.send(signalOf(name, payloads));
  }

  /** Returns the result of a query; undefined if the query fails. */
  async query(name: string, input?: readonly Payload[]): Promise<unknown> {
    const answer = await this.#workflow.query(name, input);
    return 'failure' in answer ? undefined : valueOf(answer);
  }

  end(): Promise<void> {
    return this.#workflow.evict();
  }

  async #jobsOf(command: Command): Promise<Job[]> {
    for (const { rule, text } of commandProblems(command)) this.problems.push(`${rule}: ${text.slice(0, 200)}`);
    const { scheduleActivity, startChildWorkflowExecution: child, signalExternalWorkflowExecution: signal } = command;
    if (command.failWorkflowExecution) this.failure = command.failWorkflowExecution.failure ?? {};
    if (command.failWorkflowExecution ?? command.completeWorkflowExecution) this.isOpen = false;
    if (scheduleActivity) {
      const { seq = 0, activityType, arguments: input } = scheduleActivity;
      const result = await resolutionOf(activityType ?? '', valueOf(input?.[0]) as object);
      return [{ resolveActivity: { seq, result } }];
    }
    if (child) this.children.push(child.workflowId ?? '');
    if (child) return [{ resolveChildWorkflowExecutionStart: { seq: child.seq, succeeded: { runId: 'child' } } }];
    return signal ? [{ resolveSignalExternalWorkflow: { seq: signal.seq } }] : [];
  }
}

function signalOf(signalName: string, payloads: readonly Payload[]): Job {
  return { signalWorkflow: { signalName, input: [...payloads], identity: 'caller', headers: {} } };
}

it('a workflow rejects any input that is not a request, and fails no workflow task', { timeout }, async () => {
  const options = { file: '/data/a.jsonl', folder: '/data', taskQueue: 'q' };
  let invalid = 0;
  const starts = strangeStarts(options, generatedRuns(80), { isEach: true });
  for (const start of starts) {
    const caller = await Caller.start(start);
    const { problems, failure } = caller;
    await caller.end();
    expect(problems, JSON.stringify(start).slice(0, 2000)).toEqual([]);
    if (!failure) continue;
    const { type = '' } = failure.applicationFailureInfo ?? {};
    expect(Object.keys(FailureType)).toContain(type);
    expect(failure.message?.length).toBeLessThanOrEqual(MAX_MESSAGE_LENGTH);
    expect(failure.message).not.toMatch(/[\p{Cc}\p{Surrogate}]/u);
    if (type === FailureType.InvalidRequest) invalid++;
  }
  expect(invalid).toBeGreaterThan(starts.length / 4);
});

const source = { type: 'file', path: '/data/a.jsonl' };
const folder = { type: 'folder', path: '/data' };
const progressOf = (state: string, filename: string): unknown => expect.objectContaining({ state, filename });

it.each<[string, unknown, unknown]>([
  ['uploadFile', { source, purpose: PURPOSE }, progressOf('waiting', 'a.jsonl')],
  ['uploadSplitFile', { source, purpose: PURPOSE, pieceSizeBytes: 60 }, progressOf('uploading', 'a.jsonl')],
  ['syncSource', { source: folder, purpose: PURPOSE }, progressOf('uploading', '/data')],
  ['requestRate', undefined, undefined],
])('a running %s responds to queries after any input of a caller', { timeout }, async (type, request, progress) => {
  for (let runs = 0; runs < RUNS; runs += RUNS_OF_ONE) {
    const caller = await Caller.start({ type, payloads: request === undefined ? [] : [json(request)] });
    expect(await caller.query(QueryName.progress)).toEqual(progress);
    for (const { name, payload } of strangeInputs(RUNS_OF_ONE)) {
      await caller.signal(name, [payload]);
      await caller.query(QueryName.progress, [payload]);
      await caller.update(name, payload);
    }
    for (const { name, payloads } of strangeSignals(caller.children[0] ?? 'none', RUNS_OF_ONE))
      await caller.signal(name, payloads);
    await caller.update('resume', json({}));
    expect(await caller.query(QueryName.progress)).toEqual(progress);
    const { problems, failure, isOpen } = caller;
    await caller.end();
    expect(problems).toEqual([]);
    expect(failure).toBeUndefined();
    expect(isOpen).toBe(true);
  }
});
