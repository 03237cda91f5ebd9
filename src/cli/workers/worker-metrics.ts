import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Config } from '../../config/config.ts';
import { startMetricsServer, type MetricsServer, type MetricsServerOptions } from '../../observe/metrics/index.ts';
import type { WorkerMetricsOptions } from '../../worker/create-worker.ts';

export type MetricsAddress = Pick<MetricsServerOptions, 'port' | 'host' | 'sdkMetricsUrl'>;

export interface WorkerMetricsEndpoint {
  readonly server: MetricsServer;
  /** For the worker that is to be measured. */
  readonly options: WorkerMetricsOptions;
}

/** Serves the metrics of a worker of this process, and of the process itself. @throws ConfigError when the port is taken */
export async function openWorkerMetrics(
  { destinations }: Config,
  address: MetricsAddress,
): Promise<WorkerMetricsEndpoint> {
  const registry = new Registry();
  const server = await startMetricsServer({ ...address, registry });
  collectDefaultMetrics({ register: registry });
  return { server, options: { registry, destinations: [...destinations.keys()] } };
}
