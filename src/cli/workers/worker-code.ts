import { NativeConnection } from '@temporalio/worker';
import type { Logger } from '../../logger.ts';
import { createWorker } from '../../worker/create-worker.ts';
import { installRuntime, type RuntimeOptions } from '../../worker/runtime.ts';

/**
 * Prepares Temporal's worker and that of Longhaul. This module takes half a second to load, so only commands that run a
 * worker load it.
 */
export function prepareWorkers(logger: Logger, options: RuntimeOptions) {
  return { sdkMetricsUrl: installRuntime(logger, options), NativeConnection, createWorker };
}
