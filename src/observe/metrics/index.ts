export { MeasuredUploadsClient } from './measured-uploads-client.ts';
export { startMetricsServer, type MetricsServer, type MetricsServerOptions } from './metrics-server.ts';
export { partInterceptor, partWatcher } from './part-interceptor.ts';
export { startWorkflowCounters } from './start-workflow-counters.ts';
export { workerMetricsOf } from './worker-metrics.ts';
