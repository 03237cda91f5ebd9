/**
 * Every error of the library and of its client. All derive from `LonghaulError` and have a `code`.
 *
 * @module longhaul/errors
 */

export {
  AttributeConflictError,
  JobCancelledError,
  JobEncryptedError,
  JobFailedError,
  JobIdTakenError,
  JobNotFoundError,
  NoWorkerError,
  QueryRefusedError,
  SearchAttributesMissingError,
  SetupRefusedError,
  SetupUnfinishedError,
  SteeringRefusedError,
  StrangeWorkflowError,
} from './client/errors.ts';
export {
  NamespaceNotFoundError,
  TemporalDeniedError,
  TemporalFailedError,
  TemporalUnreachableError,
} from './temporal/temporal-errors.ts';
export { ScheduleBusyError, ScheduleExistsError, ScheduleNotFoundError } from './client/schedules/schedule-errors.ts';
export {
  AbortedError,
  ApiError,
  ConfigError,
  ConnectionError,
  ContentInvalidError,
  LineTooLongError,
  LonghaulError,
  ManifestError,
  SourceArchivedError,
  SourceChangedError,
  SourceError,
  SourceForbiddenError,
  SourceMissingError,
  SourceNotNamedError,
  SourceNotRangedError,
  SourceReadError,
  SourceUnusableError,
  StrangeAnswerError,
  TimeoutError,
} from './errors.ts';
