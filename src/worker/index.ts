/**
 * The worker, also alongside the worker of another program.
 *
 * @module longhaul/worker
 */

export { createWorker } from './create-worker.ts';
export type { WorkerDeploymentVersion, WorkerMetricsOptions, WorkerOptions } from './options.ts';
export { tracedWorkflowBundlePath, workflowBundlePath } from './bundle.ts';
export { LonghaulPlugin, type LonghaulPluginOptions } from './plugin.ts';
export { LonghaulWorker } from './longhaul-worker.ts';
export { startTracing } from '../observe/tracing/tracing.ts';
export type { Tracing } from '../observe/tracing/tracing.ts';
export { Destinations } from './destinations.ts';
export { WorkerFailedError } from './faults.ts';
export type { RequestRateOptions } from '../pace/request-rate.ts';
export { loadConfig, type Config, type TemporalConfig } from '../config/config.ts';
export type { LogLevel } from '../config/environment.ts';
export { requireDestination, type ConfiguredDestinations, type DestinationConfig } from '../config/destinations.ts';
export type { KeyProvider } from '../keys/key-provider.ts';
export type { DestinationKind, DestinationProfile, LimitSettings } from '../destinations/profile.ts';
export type { PurposeLimits } from '../contracts/limits.ts';
