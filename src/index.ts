/**
 * The client: starts uploads, splits and syncs, and follows and controls them.
 *
 * @module longhaul
 */

export { LonghaulClient, type ConnectOptions, type LonghaulClientOptions } from './client/longhaul-client.ts';
export { JobHandle, type ProgressOptions } from './client/job-handle.ts';
export type { JobEvent, JobProgress, JobResult, JobStatus } from './client/jobs.ts';
export type { SplitUploadOptions, UploadOptions } from './client/prepare/prepare-upload.ts';
export type { SyncOptions } from './client/prepare/prepare-sync.ts';
export type { ListOptions, UploadSummary } from './client/lists/list-uploads.ts';
export { setupSearchAttributes } from './client/setup.ts';
export { SchedulesClient } from './client/schedules/schedules-client.ts';
export type { CreateScheduleOptions } from './client/schedules/schedule-options.ts';
export { JobCancelledError, JobFailedError, JobNotFoundError, NoWorkerError } from './client/errors.ts';
export { TemporalUnreachableError } from './temporal/temporal-errors.ts';
export { ConfigError, LonghaulError } from './errors.ts';
export { FailureType } from './contracts/failures.ts';
export type { PauseInput, RetuneInput } from './contracts/names.ts';
export type { Container, Source } from './contracts/sources.ts';
export type { SplitUploadRequest, SplitUploadResult } from './contracts/split.ts';
export type { SyncRequest, SyncResult } from './contracts/sync.ts';
export type { JobKind, UploadedFile, UploadRequest, UploadResult, WaitingInfo } from './contracts/upload.ts';
export { encryptedDataConverter } from './encryption/data-converter.ts';
export type { SourceSettings } from './sources/source-settings.ts';
