import { NativeConnection } from '@temporalio/worker';
import type { Logger } from '../../logger.ts';
import { createWorker } from '../../worker/create-worker.ts';
import { installRuntime, type RuntimeOptions } from '../../worker/runtime.ts';

/**
 * Temporal's worker and ours, ready to be started. This module takes half a second to load, which only commands that
 * move bytes need to wait for.
 */
export function prepareWorkers(logger: Logger, options: RuntimeOptions) {
  return { sdkMetricsUrl: installRuntime(logger, options), NativeConnection, createWorker };
}
