import { setFlagsFromString } from 'node:v8';
import { Runtime } from '@temporalio/worker';
import { asTemporalLogger, type Logger } from '../logger.ts';

/**
 * For threads that start from now on. The one that runs the workflows makes little garbage, but by default V8 lets
 * three times 16 MiB of it pile up.
 */
const V8_FLAG = '--max-semi-space-size=2';

/** Once a process, before the first connection: the SDK logs through `logger`, and leaves signals to us. */
export function installRuntime(logger: Logger): void {
  setFlagsFromString(V8_FLAG);
  Runtime.install({
    logger: asTemporalLogger(logger),
    telemetryOptions: { logging: { filter: 'WARN', forward: {} } },
    shutdownSignals: [],
  });
}
