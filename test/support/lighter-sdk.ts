import type { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { NativeConnection, Worker } from '@temporalio/worker';

/**
 * Saves CPU time of the workers in a test process, and changes no result of a workflow. Each worker otherwise parses the
 * bundle and its source map again (0.15 s). Depends on internals of the SDK (1.24).
 */
const sdk = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'));
const { globalHandlers } = sdk('./workflow/vm-shared') as { globalHandlers: GlobalHandlers };
const { ReusableVMWorkflowCreator } = sdk('./workflow/reusable-vm') as { ReusableVMWorkflowCreator: Creators };
const { ThreadedVMWorkflowCreator } = sdk('./workflow/threaded-vm') as { ThreadedVMWorkflowCreator: Threads };

interface Creators {
  create(bundle: Bundle, timeoutMs: number | undefined, ...rest: unknown[]): Promise<unknown>;
}
interface Threads {
  create(): Promise<unknown>;
}
interface Bundle {
  readonly filename: string;
}
interface GlobalHandlers {
  readonly bundleFilenameToSourceMapConsumer: ReadonlyMap<string, unknown>;
  addWorkflowBundle(bundle: Bundle): Promise<void>;
  removeWorkflowBundle(bundle: Bundle): void;
  setPromiseHook(): void;
}
interface Connections {
  readonly callContextStorage: AsyncLocalStorage<unknown>;
  close: (this: Connections) => Promise<void>;
}
interface BundleOptions {
  readonly workflowBundle?: { readonly codePath?: string };
}
interface Bundling {
  getOrCreateBundle(options: BundleOptions, logger: unknown): Promise<Bundle | undefined>;
  isLighter?: boolean;
}

const worker = Worker as unknown as Bundling;
const connections = NativeConnection.prototype as unknown as Connections;
// Test files of one process share the SDK.
if (!worker.isLighter) {
  worker.isLighter = true;

  // The hook takes a stack for each promise of the process, for a query of the stack that no test sends.
  globalHandlers.setPromiseHook = () => {};

  // With a timeout, Node.js starts a thread for each call into the sandbox. Vitest ends a test that blocks the process.
  const create = ReusableVMWorkflowCreator.create.bind(ReusableVMWorkflowCreator);
  ReusableVMWorkflowCreator.create = (bundle, _timeoutMs, ...rest) => create(bundle, undefined, ...rest);

  ThreadedVMWorkflowCreator.create = async () => {
    throw new Error('a worker of the tests starts a thread, although vitest.config.ts sets TEMPORAL_DEBUG');
  };

  const parse = worker.getOrCreateBundle.bind(worker);
  const parsed = new Map<string, Promise<Bundle | undefined>>();
  worker.getOrCreateBundle = (options, logger) => {
    const { codePath } = options.workflowBundle ?? {};
    if (codePath === undefined) return parse(options, logger);
    const bundle = parsed.get(codePath) ?? parse(options, logger);
    parsed.set(codePath, bundle);
    return bundle;
  };

  const add = globalHandlers.addWorkflowBundle.bind(globalHandlers);
  globalHandlers.addWorkflowBundle = async (bundle) => {
    if (!globalHandlers.bundleFilenameToSourceMapConsumer.has(bundle.filename)) await add(bundle);
  };
  globalHandlers.removeWorkflowBundle = () => {};

  // The SDK leaves the storage of a closed connection enabled, and Node.js copies each enabled storage into each promise.
  const { close } = connections;
  connections.close = async function () {
    await close.call(this);
    this.callContextStorage.disable();
  };
}
