import { LonghaulError } from '../../errors.ts';

/** No schedule of Longhaul has that name. */
export class ScheduleNotFoundError extends LonghaulError {
  readonly code = 'SCHEDULE_NOT_FOUND';
  readonly retryable = false;

  constructor(name: string, cause?: unknown) {
    super(`there is no schedule "${name}"; "longhaul schedule list" shows those there are`, { cause });
  }
}

/** The name is taken. */
export class ScheduleExistsError extends LonghaulError {
  readonly code = 'SCHEDULE_EXISTS';
  readonly retryable = false;

  constructor(name: string, cause?: unknown) {
    super(`there is a schedule "${name}" already; change it with "longhaul schedule update", or choose another name`, {
      cause,
    });
  }
}

/** A run is under way, and the schedule's overlap policy starts no second one. */
export class ScheduleBusyError extends LonghaulError {
  readonly code = 'SCHEDULE_BUSY';
  readonly retryable = true;

  constructor(name: string, workflowId: string) {
    super(`schedule "${name}" starts no second run while ${workflowId} runs (overlap policy skip)`);
  }
}
