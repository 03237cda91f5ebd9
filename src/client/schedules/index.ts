export { SchedulesClient } from './schedules-client.ts';
export { ScheduleBusyError, ScheduleExistsError, ScheduleNotFoundError } from './schedule-errors.ts';
export {
  ScheduleDefaults,
  type BackfillOptions,
  type CreateScheduleOptions,
  type ScheduleCheck,
  type ScheduleInfo,
  type ScheduleReport,
  type ScheduleRun,
  type ScheduleWork,
  type UpdateScheduleOptions,
} from './schedule-options.ts';
