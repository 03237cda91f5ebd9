export { startMetricsServer, type MetricsServerOptions } from './metrics-server.ts';
export { startWorkflowCounters } from './start-workflow-counters.ts';
export { workerMetricsOf } from './worker-metrics.ts';
