import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Config } from '../../config/config.ts';
import { startMetricsServer, type MetricsServer, type MetricsServerOptions } from '../../observe/metrics/index.ts';
import type { WorkerMetricsOptions } from '../../worker/create-worker.ts';

export type MetricsAddress = Pick<MetricsServerOptions, 'port' | 'host' | 'sdkMetricsUrl'>;

export interface WorkerMetricsEndpoint {
  readonly server: MetricsServer;
  /** Metrics options of the worker. */
  readonly options: WorkerMetricsOptions;
}

/** Serves the metrics of this process and of its worker. @throws ConfigError if the port is in use */
export async function openWorkerMetrics(
  { destinations }: Config,
  address: MetricsAddress,
): Promise<WorkerMetricsEndpoint> {
  const registry = new Registry();
  const server = await startMetricsServer({ ...address, registry });
  collectDefaultMetrics({ register: registry });
  return { server, options: { registry, destinations: [...destinations.keys()] } };
}
