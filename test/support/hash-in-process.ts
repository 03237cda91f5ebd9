import { EventEmitter } from 'node:events';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { runTask } from '../../dist/src/sources/digest/pass-thread.js';
import { packageFiles } from '../../src/package-files.ts';

/**
 * Saves CPU time of the workers in a test process: each MD5 of a file otherwise starts a thread (0.13 s), which then loads
 * Longhaul's modules. Workers in other processes start the thread. `realThreads` tests it.
 */
const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: ThreadClass };

type ThreadClass = new (file: string | URL, options: { readonly workerData: Task }) => object;
type Task = Parameters<typeof runTask>[0];

/** Runs the program of the thread on the event loop of the tests. */
class NoThread extends EventEmitter {
  #send: (message: unknown) => void = () => {};

  constructor(task: Task) {
    super();
    const post = (message: unknown) => this.emit('message', structuredClone(message));
    void runTask(structuredClone(task), post, (listener) => (this.#send = listener)).then(() => this.emit('exit', 0));
  }

  postMessage(message: unknown): void {
    this.#send(message);
  }

  /** Ends after the chunk that is read. */
  async terminate(): Promise<void> {
    this.#send('stop');
  }
}

/** Test files of one process share the patched class, and each evaluates this module again. */
const shared = threads.Worker as ThreadClass & { areReal?: boolean };

/** Lets the tests of `body` start threads. */
export async function realThreads<T>(body: () => Promise<T>): Promise<T> {
  shared.areReal = true;
  try {
    return await body();
  } finally {
    shared.areReal = false;
  }
}

if (shared.areReal === undefined) {
  shared.areReal = false;
  threads.Worker = new Proxy(shared, {
    construct: (target, args: ConstructorParameters<ThreadClass>, self) =>
      args[0] === packageFiles.md5Thread && !target.areReal
        ? new NoThread(args[1].workerData)
        : (Reflect.construct(target, args, self) as object),
  });
  syncBuiltinESMExports();
}
