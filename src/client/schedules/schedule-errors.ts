import { LonghaulError } from '../../errors.ts';

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
