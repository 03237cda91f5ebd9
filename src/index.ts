export { LonghaulClient, type ConnectOptions, type LonghaulClientOptions } from './client/longhaul-client.ts';
export type { SplitUploadOptions } from './client/prepare-upload.ts';
export type { UploadOptions } from './client/prepare-upload.ts';
export { UploadHandle, type ProgressOptions, type UploadStatus } from './client/upload-handle.ts';
export type { SyncOptions } from './client/prepare-sync.ts';
export { setupSearchAttributes, type SearchAttributesSetup } from './client/setup-search-attributes.ts';
export { AttributeConflictError, SetupRefusedError, SetupUnfinishedError } from './client/setup-errors.ts';
export { SyncHandle, type SyncEvent, type SyncStatus } from './client/sync-handle.ts';
export { SyncCancelledError, SyncFailedError, SyncIdTakenError, SyncNotFoundError } from './client/sync-errors.ts';
export { QueryRefusedError, SearchAttributesMissingError } from './client/list-errors.ts';
export { StrangeWorkflowError } from './client/strange-workflow-error.ts';
export type { ListedState, ListOptions, UploadSummary } from './client/list-uploads.ts';
export type { WorkflowSummary } from './client/workflow-summary.ts';
export type { UnpolledQueue } from './client/unpolled-queue.ts';
export type { WorkflowDescription } from './client/followed-workflow.ts';
export type { PartTrouble, UploadEvent } from './client/upload-events.ts';
export {
  NoWorkerError,
  SteeringRefusedError,
  UploadCancelledError,
  UploadFailedError,
  UploadIdTakenError,
  UploadNotFoundError,
} from './client/upload-errors.ts';
export {
  NamespaceNotFoundError,
  TemporalDeniedError,
  TemporalFailedError,
  TemporalUnreachableError,
} from './temporal/temporal-errors.ts';
export { FailureType, type PiecesFailedDetails } from './contracts/failures.ts';
export { Defaults, Limits } from './contracts/limits.ts';
export { SearchAttributes } from './contracts/search-attributes.ts';
export {
  DEFAULT_TASK_QUEUE,
  QueryName,
  UpdateName,
  WorkflowName,
  type PauseInput,
  type RetuneInput,
} from './contracts/names.ts';
export type {
  PieceProgress,
  PieceState,
  SplitUploadProgress,
  SplitUploadRequest,
  SplitUploadResult,
} from './contracts/split.ts';
export {
  ScheduleOverlaps,
  type ScheduleHealth,
  type ScheduleOverlap,
  type ScheduleRunOutcome,
  type ScheduleSettings,
} from './contracts/schedule.ts';
export type {
  BucketContainer,
  ByteRange,
  Container,
  FileSource,
  FolderContainer,
  HttpSource,
  S3Source,
  Source,
} from './contracts/sources.ts';
export type {
  CarriedSync,
  FileFacts,
  RememberedFile,
  SyncAmount,
  SyncCounts,
  SyncDecision,
  SyncHandover,
  SyncMemory,
  SyncProblem,
  SyncProgress,
  SyncRequest,
  SyncResult,
  SyncState,
  SyncUploadSettings,
  UnmatchedGlob,
} from './contracts/sync.ts';
export type {
  SharedLimit,
  UploadedFile,
  UploadLimit,
  UploadProgress,
  UploadRequest,
  UploadResult,
  UploadSession,
  UploadState,
  WaitingInfo,
} from './contracts/upload.ts';
export * from './errors.ts';
export * from './schedules/index.ts';
export type { ProxyRules, ProxySetting } from './network/proxy.ts';
export type { TlsSettings } from './network/tls-files.ts';
export type { ProtectedPaths } from './sources/file/protected-paths.ts';
export type { SourceHeaderSettings, SourceHeaderValue } from './sources/http/headers.ts';
export type {
  FileSettings,
  HttpSettings,
  NamedSettings,
  NetworkSettings,
  S3Credentials,
  S3Settings,
  SourceSettings,
} from './sources/source-settings.ts';
