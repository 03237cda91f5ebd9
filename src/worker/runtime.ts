import { randomInt } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { IllegalStateError, Runtime, type MetricsExporterConfig } from '@temporalio/worker';
import { ConfigDefaults } from '../config/config.ts';
import { asTemporalLogger, type Logger } from '../logger.ts';

/**
 * For threads that start after this. The thread of the workflows creates little garbage, but by default V8 lets three
 * times 16 MiB of it accumulate.
 */
const V8_FLAG = '--max-semi-space-size=2';

/** Below the ports that systems use for outgoing connections. */
const FIRST_PORT = 17_000;
const END_OF_PORTS = 32_000;
const MOST_TRIES = 20;

export interface RuntimeOptions {
  /** Whether the SDK keeps metrics. @defaultValue false */
  readonly keepsMetrics?: boolean;
  /** Time between two heartbeats of a worker. @defaultValue 5000 */
  readonly heartbeatIntervalMs?: number;
}

/** Temporal's SDK accepts no others. */
const MIN_HEARTBEAT_INTERVAL_MS = 1000;
const MAX_HEARTBEAT_INTERVAL_MS = 60_000;

/**
 * Once per process, before the first connection: the SDK logs through `logger`, and does not handle signals.
 *
 * @returns the URL of the SDK's metrics, for this machine only; undefined without metrics
 */
export function installRuntime(
  logger: Logger,
  { keepsMetrics = false, heartbeatIntervalMs = ConfigDefaults.heartbeatIntervalMs }: RuntimeOptions = {},
): string | undefined {
  setFlagsFromString(V8_FLAG);
  const install = (metrics?: MetricsExporterConfig) =>
    Runtime.install({
      logger: asTemporalLogger(logger),
      telemetryOptions: { logging: { filter: 'WARN', forward: {} }, ...(metrics ? { metrics } : {}) },
      shutdownSignals: [],
      // Clients detect a killed worker after three of them.
      workerHeartbeatInterval: Math.min(
        Math.max(heartbeatIntervalMs, MIN_HEARTBEAT_INTERVAL_MS),
        MAX_HEARTBEAT_INTERVAL_MS,
      ),
    });
  if (keepsMetrics) return installWithMetrics(install);
  try {
    install();
  } catch (error) {
    // The process has a runtime already, and can use it.
    if (!(error instanceof IllegalStateError)) throw error;
  }
  return undefined;
}

/** The SDK does not report a port that the system selects, so this function selects one. */
function installWithMetrics(install: (metrics: MetricsExporterConfig) => void): string {
  for (let tries = 1; ; tries++) {
    const bindAddress = `127.0.0.1:${randomInt(FIRST_PORT, END_OF_PORTS)}`;
    try {
      install({ prometheus: { bindAddress, ...byConvention } });
      return `http://${bindAddress}/metrics`;
    } catch (error) {
      // The port is in use.
      if (tries === MOST_TRIES) throw error;
    }
  }
}

/** The conventions of Prometheus, which the SDK does not follow by default. */
const byConvention = { countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true } as const;
