import {
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError as TemporalNotFoundError,
  ServiceError,
} from '@temporalio/client';
import { isTemporalAway, unreachable } from '../client/temporal-faults.ts';
import { ConfigError } from '../errors.ts';
import { ScheduleExistsError, ScheduleNotFoundError } from './schedule-errors.ts';

/** gRPC's number (grpc/grpc, doc/statuscodes.md). */
const GRPC_INVALID_ARGUMENT = 3;
const GRPC_NOT_FOUND = 5;

/** Turns what Temporal's client throws into Longhaul's errors; what is none of these comes back as it was. */
export function scheduleFault(error: unknown, name: string): unknown {
  if (error instanceof TemporalNotFoundError) return new ScheduleNotFoundError(name);
  if (error instanceof ScheduleAlreadyRunning) return new ScheduleExistsError(name);
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause) && (cause.code as number) === GRPC_NOT_FOUND) return new ScheduleNotFoundError(name);
  if (isGrpcServiceError(cause) && (cause.code as number) === GRPC_INVALID_ARGUMENT) {
    return new ConfigError(`Temporal refuses the schedule: ${cause.details}`, { cause: error });
  }
  if (isTemporalAway(error)) return unreachable(error);
  return error;
}

/** Runs a call to Temporal about the schedule of that name. */
export async function onSchedule<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw scheduleFault(error, name);
  }
}
