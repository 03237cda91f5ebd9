import { Runtime } from '@temporalio/worker';
import { asTemporalLogger, type Logger } from '../logger.ts';

/** Once a process, before the first connection: the SDK logs through `logger`, and leaves signals to us. */
export function installRuntime(logger: Logger): void {
  Runtime.install({
    logger: asTemporalLogger(logger),
    telemetryOptions: { logging: { filter: 'WARN', forward: {} } },
    shutdownSignals: [],
  });
}
