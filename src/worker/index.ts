export {
  createWorker,
  LonghaulWorker,
  workflowBundlePath,
  type WorkerDeploymentVersion,
  type WorkerMetricsOptions,
  type WorkerOptions,
} from './create-worker.ts';
export { Destinations } from './destinations.ts';
export type { SharedBudgetOptions } from './shared-budget.ts';
export { loadConfig, requireDestination, type Config } from '../config.ts';
export type { DestinationProfile } from '../openai/destination-profile.ts';
