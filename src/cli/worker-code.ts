/** Temporal's worker and ours: half a second to load, which only commands that move bytes need to wait for. */
export { NativeConnection } from '@temporalio/worker';
export { createWorker } from '../worker/create-worker.ts';
export { installRuntime } from '../worker/install-runtime.ts';
