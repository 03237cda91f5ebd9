import { temporalFault } from '../temporal/temporal-fault.ts';
import { missingNamespace, namespaceMissing, sentences } from '../temporal/grpc-cause.ts';
import { NamespaceNotFoundError, TemporalDeniedError, TemporalUnreachableError } from '../temporal/temporal-errors.ts';
import { ConfigError, LonghaulError } from '../errors.ts';

/** Temporal's worker stopped because of an error. The uploads continue on another worker. */
export class WorkerFailedError extends LonghaulError {
  readonly code = 'WORKER_FAILED';
  readonly retryable = true;
}

/** Errors with which Temporal's worker stops, by name. */
const ofWorker: readonly string[] = [
  'GracefulShutdownPeriodExpiredError',
  'IllegalStateError',
  'PromiseCompletionTimeoutError',
  'ShutdownError',
  'UnexpectedError',
  'UnhandledRejectionError',
];

/** Turns an error of Temporal's worker into a LonghaulError; any other is returned unchanged. */
export function workerFault(error: unknown): unknown {
  const { name = '', message = '', cause } = (error ?? {}) as Partial<Error>;
  if (name === 'CombinedWorkerRunError') return workerFault((cause as { workerError?: unknown }).workerError);
  const reason = message.split('\n', 1)[0] ?? '';
  if (name === 'TransportError') return transportFault(reason, error);
  const queue = /^Failed to initialize worker: Registration of multiple workers.*task_queue: "([^"]*)"/.exec(
    reason,
  )?.[1];
  if (queue !== undefined) {
    const problem = `another worker of this process polls the task queue "${queue}" on the same connection`;
    return new ConfigError(sentences({ problem, fix: 'Set another "taskQueue"' }), { cause: error });
  }
  if (name === 'IllegalStateError' && reason === 'Client already closed') {
    return new ConfigError('the connection of the worker is closed. Pass an open NativeConnection', { cause: error });
  }
  if (!ofWorker.includes(name)) return temporalFault(error);
  const problem =
    name === 'GracefulShutdownPeriodExpiredError'
      ? 'the worker did not stop in time'
      : 'the worker stopped because of an error';
  const fix = 'Start it again; the uploads continue from the recorded parts';
  return new WorkerFailedError(sentences({ problem: `${problem} (${reason || name})`, fix }), { cause: error });
}

/** The text is that of Temporal's native code, which names the status in its own way. */
function transportFault(reason: string, cause: unknown): LonghaulError {
  const namespace = missingNamespace(reason);
  if (namespace !== undefined) return new NamespaceNotFoundError(sentences(namespaceMissing(namespace)), { cause });
  if (/PermissionDenied|Unauthenticated|unauthorized/i.test(reason)) {
    const fix = 'Check the namespace, and the API key or the client certificate of the connection';
    return new TemporalDeniedError(sentences({ problem: `Temporal denied access to the worker (${reason})`, fix }), {
      cause,
    });
  }
  const problem = `the worker lost its connection to Temporal (${reason})`;
  const fix = 'Check that the Temporal server runs, then start the worker again';
  return new TemporalUnreachableError(sentences({ problem, fix }), { cause });
}
