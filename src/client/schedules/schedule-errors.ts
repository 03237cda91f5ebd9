import { ScheduleAlreadyRunning, ScheduleNotFoundError as TemporalNotFoundError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { LonghaulError, ConfigError } from '../../errors.ts';
import { grpcFault } from '../../temporal/grpc-cause.ts';
import { NamespaceNotFoundError } from '../../temporal/temporal-errors.ts';
import { grpcError, temporalFault } from '../../temporal/temporal-fault.ts';

/** No schedule of Longhaul has this name. */
export class ScheduleNotFoundError extends LonghaulError {
  readonly code = 'SCHEDULE_NOT_FOUND';
  readonly retryable = false;

  constructor(name: string, cause?: unknown) {
    super(`schedule "${name}" not found. Run "longhaul schedule list" to list them.`, { cause });
  }
}

/** A schedule with this name already exists. */
export class ScheduleExistsError extends LonghaulError {
  readonly code = 'SCHEDULE_EXISTS';
  readonly retryable = false;

  constructor(name: string, cause?: unknown) {
    super(`schedule "${name}" already exists. Change it with "longhaul schedule update", or choose another name.`, {
      cause,
    });
  }
}

/** A run is in progress, and the overlap policy of the schedule is `skip`. */
export class ScheduleBusyError extends LonghaulError {
  readonly code = 'SCHEDULE_BUSY';
  readonly retryable = true;

  constructor(name: string, workflowId: string) {
    super(
      `schedule "${name}" cannot start a second run while ${workflowId} is running (overlap policy skip). Trigger it later.`,
    );
  }
}

const CRON_FIELD = /^(CronString|Second|Minute|Hour|DayOfMonth|Month|DayOfWeek|Year)\b/;

/** Like `fromTemporal`, for a call about a schedule. The name is empty for a call about several. */
export function scheduleFault(error: unknown, name: string, cron: readonly string[] = []): unknown {
  if (error instanceof ScheduleAlreadyRunning) return new ScheduleExistsError(name, error);
  const isOfClient = error instanceof TemporalNotFoundError || error instanceof WorkflowNotFoundError;
  const fault = isOfClient ? ({ status: 'NOT_FOUND', details: error.message } as const) : grpcFault(error);
  if (fault?.status === 'NOT_FOUND') {
    const missing = grpcError(fault, error);
    return name === '' || missing instanceof NamespaceNotFoundError ? missing : new ScheduleNotFoundError(name, error);
  }
  const refusal = fault?.status === 'INVALID_ARGUMENT' ? fault.details : specRefusal(error);
  if (refusal === undefined) return temporalFault(error);
  const text = refusal.replace(/[\s.]+$/, '');
  // Temporal names the field of a cron expression, and not the expression.
  const of = CRON_FIELD.test(text) ? ` (cron ${cron.map((expression) => `"${expression}"`).join(', ')})` : '';
  return new ConfigError(`Temporal rejected the schedule: ${text}${of}. Change the value that it names.`, {
    cause: error,
  });
}

/** Whether a TypeError is a rejection by the client. A defect of this program has another stack. */
function specRefusal(error: unknown): string | undefined {
  return error instanceof TypeError && error.stack?.includes('rethrowGrpcError') ? error.message : undefined;
}

/** Runs a call to Temporal about the schedule with this name. */
export async function onSchedule<T>(name: string, call: () => Promise<T>, cron?: readonly string[]): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw scheduleFault(error, name, cron);
  }
}
