export { LonghaulClient, type ConnectOptions, type LonghaulClientOptions } from './client/longhaul-client.ts';
export type { SplitUploadOptions } from './client/prepare/prepare-upload.ts';
export type { UploadOptions } from './client/prepare/prepare-upload.ts';
export { JobHandle, type ProgressOptions } from './client/job-handle.ts';
export type { JobEvent, JobProgress, JobResult, JobStatus } from './client/jobs.ts';
export type { SyncOptions } from './client/prepare/prepare-sync.ts';
export { setupSearchAttributes, type SearchAttributesSetup } from './client/setup.ts';
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
export type { ListedState, ListOptions, UploadSummary } from './client/lists/list-uploads.ts';
export type { WorkflowSummary } from './client/lists/workflow-summary.ts';
export type { UnpolledQueue } from './client/queues/unpolled-queue.ts';
export type { WorkflowDescription } from './client/follow/followed-workflow.ts';
export type { PartTrouble } from './client/follow/pending.ts';
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
  CarriedSplit,
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
  JobKind,
  ProgressHead,
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
export { encryptedDataConverter, type EncryptionOptions } from './encryption/data-converter.ts';
export * from './errors.ts';
export * from './client/schedules/index.ts';
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
