import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import type { coresdk as CoreSdk } from '@temporalio/proto';

/**
 * Runs the built workflow bundle in the sandbox in which workers run it. Only this file and `test/support/lighter-sdk.ts`
 * depend on internals of the SDK (1.24).
 */
const sdk = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'));
const { ReusableVMWorkflowCreator } = sdk('./workflow/reusable-vm') as { ReusableVMWorkflowCreator: CreatorClass };
const { globalHandlers } = sdk('./workflow/vm-shared') as {
  globalHandlers: { stopPromiseHook(): void; promiseHookInstalled: boolean };
};
const { coresdk } = sdk('@temporalio/proto') as { coresdk: typeof CoreSdk };
const { TypedSearchAttributes, decodePriority } = sdk('@temporalio/common') as {
  TypedSearchAttributes: new () => object;
  decodePriority: (priority: unknown) => object;
};

export type Job = CoreSdk.workflow_activation.IWorkflowActivationJob;
export type Command = CoreSdk.workflow_commands.IWorkflowCommand;
type Completion = CoreSdk.workflow_completion.IWorkflowActivationCompletion;
export type Failure = NonNullable<CoreSdk.activity_result.IFailure['failure']>;
export type Payload = NonNullable<CoreSdk.workflow_commands.IScheduleActivity['arguments']>[number];
export type Duration = NonNullable<CoreSdk.workflow_commands.IStartTimer['startToFireTimeout']>;

interface VmWorkflow {
  activate(activation: object): Promise<Completion>;
  dispose(): Promise<void>;
}
interface Creator {
  createWorkflow(options: object): Promise<VmWorkflow>;
}
interface CreatorClass {
  create(bundle: object, timeoutMs: number | undefined, activities: ReadonlySet<string>): Promise<Creator>;
}

export interface StartInfo {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly firstExecutionRunId: string;
  readonly continuedFromRunId?: string;
  readonly parent?: { readonly workflowId: string; readonly runId: string };
}

/** What a workflow sees at one activation. */
export interface Activation {
  readonly atMs: number;
  readonly jobs: readonly Job[];
  readonly historyLength: number;
  readonly continueAsNewSuggested: boolean;
  readonly isReplaying: boolean;
}

/** One cached workflow in the sandbox of a worker. */
export class SandboxedWorkflow {
  readonly #runId: string;
  readonly #vm: VmWorkflow;

  private constructor(runId: string, vm: VmWorkflow) {
    this.#runId = runId;
    this.#vm = vm;
  }

  static async create(start: StartInfo, startedAtMs: number): Promise<SandboxedWorkflow> {
    const creator = await openSandbox();
    const { workflowId, runId, workflowType, taskQueue, firstExecutionRunId, continuedFromRunId, parent } = start;
    const vm = await creator.createWorkflow({
      info: {
        workflowId,
        runId,
        workflowType,
        searchAttributes: {},
        typedSearchAttributes: new TypedSearchAttributes(),
        parent: parent && { ...parent, namespace: 'default' },
        taskQueue,
        namespace: 'default',
        firstExecutionRunId,
        originalExecutionRunId: runId,
        continuedFromExecutionRunId: continuedFromRunId,
        startTime: new Date(startedAtMs),
        runStartTime: new Date(startedAtMs),
        taskTimeoutMs: 10_000,
        attempt: 1,
        historyLength: 3,
        historySize: 300,
        continueAsNewSuggested: false,
        targetWorkerDeploymentVersionChanged: false,
        unsafe: { isReplaying: false, isReplayingHistoryEvents: false },
        priority: decodePriority(undefined),
      },
      randomnessSeed: Buffer.from(runId.padEnd(8, '0').slice(-8)),
      now: startedAtMs,
      showStackTraceSources: false,
      failureExceptionTypeNames: [],
    });
    return new SandboxedWorkflow(runId, vm);
  }

  /** @returns the commands, or the failure of the workflow task */
  async activate(activation: Activation): Promise<readonly Command[] | { readonly failure: Failure }> {
    const completion = await this.#vm.activate(activationOf(this.#runId, activation));
    if (completion.failed) return { failure: completion.failed.failure ?? {} };
    return completion.successful?.commands ?? [];
  }

  /** @returns the payload of the answer, or the failure of the query */
  async query(queryType: string, atMs: number): Promise<Payload | { readonly failure: Failure }> {
    const job: Job = { queryWorkflow: { queryId: 'query', queryType, arguments: [], headers: {} } };
    const commands = await this.activate({
      atMs,
      jobs: [job],
      historyLength: 3,
      continueAsNewSuggested: false,
      isReplaying: true,
    });
    if ('failure' in commands) return commands;
    const { succeeded, failed } = commands[0]?.respondToQuery ?? {};
    return succeeded?.response ?? { failure: failed ?? { message: 'the query was not answered' } };
  }

  evict(): Promise<void> {
    return this.#vm.dispose();
  }
}

function activationOf(runId: string, activation: Activation): CoreSdk.workflow_activation.WorkflowActivation {
  const { atMs, jobs, historyLength, continueAsNewSuggested, isReplaying } = activation;
  return coresdk.workflow_activation.WorkflowActivation.fromObject({
    runId,
    timestamp: { seconds: Math.floor(atMs / 1000), nanos: (atMs % 1000) * 1_000_000 },
    isReplaying,
    historyLength,
    historySizeBytes: historyLength * 100,
    continueAsNewSuggested,
    // All of SDK 1.24, as its workers record them.
    availableInternalFlags: [1, 2, 3, 4, 5, 6],
    jobs,
  });
}

/** Those that the SDK does not replace in the sandbox of a workflow. */
const CONSTANT_GLOBALS = `
  Array ArrayBuffer BigInt Boolean Error JSON Map Math Number Object Promise Proxy RangeError Reflect RegExp Set
  String Symbol TypeError Uint8Array WeakMap AbortController TextDecoder TextEncoder isFinite isNaN parseInt`
  .trim()
  .split(/\s+/);

let sandbox: Promise<Creator> | undefined;

function openSandbox(): Promise<Creator> {
  sandbox ??= createSandbox();
  return sandbox;
}

async function createSandbox(): Promise<Creator> {
  const built = fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url));
  // Another bundle can be one without a safeguard.
  const filename = process.env['LONGHAUL_SIMULATION_BUNDLE'] ?? built;
  // Its source map takes a second to parse, and serves only stacks, which no trace shows.
  const bundle = readFileSync(filename, 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, '');
  // So do the stacks themselves, of every error. A constant is faster than a property of a sandbox's global object.
  const constants = CONSTANT_GLOBALS.map((name) => `${name} = globalThis.${name}`).join(', ');
  const code = `Error.stackTraceLimit = 0; { const ${constants};${bundle}\n}`;
  const sourceMap = { version: 3, sources: [], mappings: '', names: [] };
  // With a timeout, Node.js starts a thread for each call into the sandbox: half of the time.
  const { createContext } = vm;
  const plain = (vm.constants as { readonly DONT_CONTEXTIFY?: vm.Context }).DONT_CONTEXTIFY;
  // With it, globals are as fast as outside a sandbox. Node.js 20 does not have it.
  if (plain) vm.createContext = (_, options) => createContext(plain, options);
  const creator = await ReusableVMWorkflowCreator.create({ code, filename, sourceMap }, undefined, new Set());
  vm.createContext = createContext;
  // It records a stack for each promise, for a query that a simulation does not make: three quarters of the time.
  globalHandlers.stopPromiseHook();
  globalHandlers.promiseHookInstalled = false;
  return creator;
}
