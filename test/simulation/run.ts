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
const { ReusableVMWorkflowCreator, ReusableVMWorkflow } = sdk('./workflow/reusable-vm') as {
  ReusableVMWorkflowCreator: CreatorClass;
  ReusableVMWorkflow: WorkflowClass;
};
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
  readonly context: Context;
  readonly pristineObj: Readonly<Record<string, PropertyDescriptor>>;
}
interface CreatorClass {
  create(bundle: object, timeoutMs: number | undefined, activities: ReadonlySet<string>): Promise<Creator>;
  readonly workflowByRunId: Map<string, VmWorkflow>;
}
type WorkflowClass = new (runId: string, context: Context, activator: unknown, module: object) => VmWorkflow;

/** The global object of the sandbox. */
interface Context extends vm.Context {
  readonly currentActivator: () => unknown;
  readonly changedGlobals: (pristine: object) => string[];
  /** Prepares a call of a function of the SDK for an execution. */
  readonly prepareSimulatedCall: (activator: unknown, name: string, args: readonly unknown[]) => void;
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

  private constructor(runId: string, running: VmWorkflow) {
    this.#runId = runId;
    this.#vm = running;
  }

  static async create(start: StartInfo, startedAtMs: number): Promise<SandboxedWorkflow> {
    const sandboxed = await openSandbox();
    const { workflowId, runId, workflowType, taskQueue, firstExecutionRunId, continuedFromRunId, parent } = start;
    const running = sandboxed.open(runId, {
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
    return new SandboxedWorkflow(runId, running);
  }

  /** @returns the commands, or the failure of the workflow task */
  async activate(activation: Activation): Promise<readonly Command[] | { readonly failure: Failure }> {
    const completion = await this.#vm.activate(activationOf(this.#runId, activation));
    if (completion.failed) return { failure: completion.failed.failure ?? {} };
    return completion.successful?.commands ?? [];
  }

  /** @returns the payload of the answer, or the failure of the query */
  async query(queryType: string, input?: readonly Payload[]): Promise<Payload | { readonly failure: Failure }> {
    const activation = input ? newQuery(queryType, input) : activationOfQuery(queryType);
    const completion = await this.#vm.activate(activation);
    if (completion.failed) return { failure: completion.failed.failure ?? {} };
    const commands = completion.successful?.commands ?? [];
    const { succeeded, failed } = commands[0]?.respondToQuery ?? {};
    return succeeded?.response ?? { failure: failed ?? { message: 'the query was not answered' } };
  }

  evict(): Promise<void> {
    return this.#vm.dispose();
  }
}

const queries = new Map<string, object>();

/** The workflow sees nothing of an activation with a query but the query. */
function activationOfQuery(queryType: string): object {
  const known = queries.get(queryType);
  if (known) return known;
  const created = newQuery(queryType, []);
  queries.set(queryType, created);
  return created;
}

function newQuery(queryType: string, input: readonly Payload[]): object {
  const job: Job = { queryWorkflow: { queryId: 'query', queryType, arguments: [...input], headers: {} } };
  return activationOf('', { atMs: 0, jobs: [job], historyLength: 3, continueAsNewSuggested: false, isReplaying: true });
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

/**
 * All executions share the globals of the sandbox: for each call of another execution, the SDK compares all globals, which
 * takes as long as the call. Only the activator of an execution is its own.
 */
const CALLS = `
  let simulatedCall;
  globalThis.prepareSimulatedCall = (activator, name, args) => {
    simulatedCall = { name, args };
    if (globalThis.__TEMPORAL_ACTIVATOR__ !== activator) globalThis.__TEMPORAL_ACTIVATOR__ = activator;
  };
  globalThis.currentActivator = () => globalThis.__TEMPORAL_ACTIVATOR__;
  globalThis.changedGlobals = (pristine) => {
    const names = new Set([...Object.getOwnPropertyNames(globalThis), ...Object.getOwnPropertyNames(pristine)]);
    names.delete('__TEMPORAL_ACTIVATOR__');
    return [...names].filter((name) => !Object.is(globalThis[name], pristine[name]?.value));
  };
  globalThis.makeSimulatedCall = () => __TEMPORAL__.api[simulatedCall.name](...simulatedCall.args);`;
const makeCall = new vm.Script('makeSimulatedCall()');
/** In the order in which the SDK calls them. */
const FUNCTIONS = ['initRuntime', 'initialize', 'activate', 'tryUnblockConditions', 'concludeActivation', 'dispose'];

/** The sandbox of all simulations of this process, in place of `createWorkflow` of the SDK. */
class Sandbox {
  readonly #context: Context;
  readonly #globals: Creator['pristineObj'];

  constructor({ context, pristineObj }: Creator) {
    this.#context = context;
    this.#globals = pristineObj;
  }

  open(runId: string, options: object): VmWorkflow {
    const context = this.#context;
    const { prepareSimulatedCall: prepare } = context;
    let activator: unknown;
    const call = (name: string, args: readonly unknown[]): unknown => {
      prepare(activator, name, args);
      // All microtasks of the sandbox run before it returns.
      return makeCall.runInContext(context);
    };
    const module = Object.fromEntries(
      FUNCTIONS.map((name) => [name, (...args: readonly unknown[]) => call(name, args)]),
    ) as Record<string, (...args: readonly unknown[]) => unknown>;
    const getTimeOfDay = () => BigInt(Date.now()) * 1_000_000n;
    const rest = { getTimeOfDay, registeredActivityNames: new Set(), stackTracesEnabled: false };
    module['initRuntime']?.({ ...options, ...rest });
    activator = context.currentActivator();
    const workflow = new ReusableVMWorkflow(runId, context, activator, module);
    ReusableVMWorkflowCreator.workflowByRunId.set(runId, workflow);
    return workflow;
  }

  /** @returns the names of globals that a workflow has changed */
  changes(): string[] {
    return this.#context.changedGlobals(this.#globals);
  }
}

/** @returns the names of globals of the sandbox that a workflow has changed, of which a worker gives each its own */
export async function changedGlobals(): Promise<readonly string[]> {
  return (await openSandbox()).changes();
}

/** Those that the SDK does not replace in the sandbox of a workflow. */
const CONSTANT_GLOBALS = `
  Array ArrayBuffer BigInt Boolean Error JSON Map Math Number Object Promise Proxy RangeError Reflect RegExp Set
  String Symbol TypeError Uint8Array WeakMap AbortController TextDecoder TextEncoder isFinite isNaN parseInt`
  .trim()
  .split(/\s+/);

let sandbox: Promise<Sandbox> | undefined;

function openSandbox(): Promise<Sandbox> {
  sandbox ??= createSandbox();
  return sandbox;
}

async function createSandbox(): Promise<Sandbox> {
  const built = fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url));
  // Another bundle can be one without a safeguard.
  const filename = process.env['LONGHAUL_SIMULATION_BUNDLE'] ?? built;
  // Its source map takes a second to parse, and serves only stacks, which no trace shows.
  const bundle = readFileSync(filename, 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, '');
  // So do the stacks themselves, of every error. A constant is faster than a property of a sandbox's global object.
  const constants = CONSTANT_GLOBALS.map((name) => `${name} = globalThis.${name}`).join(', ');
  const code = `Error.stackTraceLimit = 0; { const ${constants};${CALLS}${bundle}\n}`;
  const sourceMap = { version: 3, sources: [], mappings: '', names: [] };
  // With a timeout, Node.js starts a thread for each call into the sandbox: half of the time.
  const { createContext } = vm;
  const plain = (vm.constants as { readonly DONT_CONTEXTIFY?: unknown }).DONT_CONTEXTIFY;
  // With it, globals are as fast as outside a sandbox. Node.js 20 does not have it.
  if (plain) vm.createContext = (_, options) => createContext(plain, options);
  const creator = await ReusableVMWorkflowCreator.create({ code, filename, sourceMap }, undefined, new Set());
  vm.createContext = createContext;
  // It records a stack for each promise, for a query that a simulation does not make: three quarters of the time.
  globalHandlers.stopPromiseHook();
  globalHandlers.promiseHookInstalled = false;
  return new Sandbox(creator);
}
