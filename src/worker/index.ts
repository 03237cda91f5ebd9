export {
  createWorker,
  LonghaulWorker,
  tracedWorkflowBundlePath,
  workflowBundlePath,
  type WorkerDeploymentVersion,
  type WorkerMetricsOptions,
  type WorkerOptions,
} from './create-worker.ts';
export { startTracing } from '../tracing/start-tracing.ts';
export type { Tracing } from '../tracing/tracing.ts';
export { Destinations } from './destinations.ts';
export type { SharedBudgetOptions } from './shared-budget.ts';
export { loadConfig, type Config } from '../config.ts';
export { requireDestination } from '../config-destinations.ts';
export type { DestinationProfile } from '../openai/destination-profile.ts';
