/**
 * Types and constants of options, requests and results that `longhaul` itself does not export.
 *
 * @module longhaul/types
 */

export type { SearchAttributesSetup } from './client/setup.ts';
export type { ListedState } from './client/lists/list-uploads.ts';
export type { WorkflowSummary } from './client/lists/list-uploads.ts';
export type { UnpolledQueue } from './client/jobs.ts';
export type { WorkflowDescription } from './client/follow/followed-workflow.ts';
export type { PartTrouble, PausedActivity } from './client/follow/pending.ts';
export type { PiecesFailedDetails } from './contracts/failures.ts';
export type { ContentCheck, ContentProblems, LineProblem } from './contracts/content.ts';
export { Defaults, Limits } from './contracts/limits.ts';
export { SearchAttributes } from './contracts/search-attributes.ts';
export type { Receipt, UploadReceipt } from './contracts/requests/receipt.ts';
export { DEFAULT_TASK_QUEUE, QueryName, UpdateName, WorkflowName } from './contracts/names.ts';
export type { CarriedSplit, PieceProgress, PieceState, SplitUploadProgress } from './contracts/split.ts';
export {
  type ScheduleHealth,
  type ScheduleOverlap,
  ScheduleOverlaps,
  type ScheduleRunOutcome,
  type ScheduleSettings,
} from './contracts/schedule.ts';
export type {
  BucketContainer,
  ByteRange,
  FileManifest,
  FileSource,
  FolderContainer,
  HttpSource,
  ManifestPlace,
  S3Manifest,
  S3Source,
} from './contracts/sources.ts';
export type {
  CarriedSync,
  FileFacts,
  ForgottenFile,
  RememberedFile,
  SyncAmount,
  SyncCounts,
  SyncDecision,
  SyncHandover,
  SyncMemory,
  SyncProblem,
  SyncProgress,
  SyncState,
  SyncUploadSettings,
  UnmatchedGlob,
} from './contracts/sync.ts';
export type {
  ProgressHead,
  ReceiptFacts,
  SharedLimit,
  UploadLimit,
  UploadProgress,
  UploadSession,
  UploadState,
} from './contracts/upload.ts';
export type { EncryptionOptions } from './encryption/data-converter.ts';
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
} from './sources/source-settings.ts';
export {
  type BackfillOptions,
  type ScheduleCheck,
  ScheduleDefaults,
  type ScheduleInfo,
  type ScheduleReport,
  type ScheduleRun,
  type ScheduleWork,
  type UpdateScheduleOptions,
} from './client/schedules/schedule-options.ts';
export type { ApiErrorDetails, SourceRefusal } from './errors.ts';
