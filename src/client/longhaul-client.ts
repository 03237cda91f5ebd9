import {
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  type ConnectionOptions,
  type WorkflowClientInterceptor,
} from '@temporalio/client';
import { assertSourceGlobs } from '../config/sources.ts';
import { temporalSettings, type TemporalSettings } from '../config/temporal.ts';
import { Defaults } from '../contracts/limits.ts';
import { DEFAULT_TASK_QUEUE, WorkflowName } from '../contracts/names.ts';
import { requestPriority } from '../core/upload/priority.ts';
import { filenameOfSource } from '../core/source/names.ts';
import type { SplitUploadResult } from '../contracts/split.ts';
import type { UploadResult } from '../contracts/upload.ts';
import { ConfigError } from '../errors.ts';
import { thisHost } from '../config/host-identity.ts';
import { SchedulesClient } from './schedules/schedules-client.ts';
import { Sources } from '../sources/sources.ts';
import { sealKeyOf, type SourceSettings } from '../sources/source-settings.ts';
import { tolerantClient } from '../tolerant-client.ts';
import { grpcCause, grpcFault, sentences } from '../temporal/grpc-cause.ts';
import { assertClientOptions } from './prepare/option-problems.ts';
import { findWithOtherInode, ignoreInodeOf } from './prepare/other-inode.ts';
import {
  prepareSplit,
  type SplitUploadOptions,
  prepareUpload,
  type PrepareContext,
  type PreparedUpload,
  type UploadOptions,
} from './prepare/prepare-upload.ts';
import { prepareSync, type SyncOptions } from './prepare/prepare-sync.ts';
import { startSync } from './start-sync.ts';
import { SyncHandle } from './sync-handle.ts';
import { grpcError, isTemporalAway } from '../temporal/temporal-fault.ts';
import { fromTemporal } from './temporal-faults.ts';
import { TemporalUnreachableError } from '../temporal/temporal-errors.ts';
import { UploadIdTakenError } from './errors.ts';
import { UploadHandle } from './upload-handle.ts';
import { summaryOf } from '../core/text/markdown.ts';
import { listUploads, type ListOptions, type UploadSummary } from './lists/list-uploads.ts';

export interface LonghaulClientOptions {
  /** @defaultValue `longhaul` */
  readonly taskQueue?: string;
  /** Name of this machine for files that only it can read; its worker must have the same. @defaultValue `LONGHAUL_HOST`, or the host name */
  readonly host?: string;
  /** How `url`s are looked at before they are uploaded. @defaultValue S3 by AWS's environment, HTTP hosts with public addresses */
  readonly sources?: SourceSettings;
}

export interface ConnectOptions extends LonghaulClientOptions {
  /**
   * Address, TLS and API key of Temporal. If it is set, Temporal's environment configuration is not read: a key of the
   * environment is never sent to another address.
   *
   * @defaultValue `TEMPORAL_ADDRESS`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…` and Temporal's config file, as in the command;
   * otherwise localhost:7233
   */
  readonly connection?: ConnectionOptions;
  /** @defaultValue `TEMPORAL_NAMESPACE` or Temporal's config file, unless `connection` is set; otherwise `default` */
  readonly namespace?: string;
  /** Around the calls to Temporal, for traces. @defaultValue none */
  readonly interceptors?: readonly WorkflowClientInterceptor[];
}

const WORKFLOW_TASK_TIMEOUT_MS = 5000;

/** The library's entrance. Its methods throw errors below `LonghaulError`, with a stable `code`. */
export class LonghaulClient {
  readonly client: Client;
  readonly taskQueue: string;
  readonly host: string;
  /** Syncs and uploads at set times. */
  readonly schedules: SchedulesClient;
  readonly #connection: Connection | undefined;
  readonly #sources: Sources;
  readonly #context: PrepareContext;

  /**
   * @param client a Temporal client of yours; it stays yours to close
   * @throws ConfigError if an option is invalid
   */
  constructor(client: Client, options: LonghaulClientOptions = {}, connection?: Connection) {
    assertClientOptions(options, 'constructor');
    assertSourceGlobs(options.sources);
    this.client = tolerantClient(client);
    this.taskQueue = options.taskQueue ?? DEFAULT_TASK_QUEUE;
    this.host = thisHost(options.host);
    this.schedules = new SchedulesClient(client, this.taskQueue);
    this.#connection = connection;
    this.#sources = new Sources(options.sources);
    this.#context = { host: this.host, sources: this.#sources, sealKey: sealKeyOf(options.sources) };
  }

  /**
   * Connects to Temporal, by default as its environment configuration says.
   *
   * @throws ConfigError if an option or that configuration is invalid
   * @throws TemporalDeniedError, TemporalUnreachableError
   */
  static async connect(options: ConnectOptions = {}): Promise<LonghaulClient> {
    assertClientOptions(options, 'connect');
    const { connection: connectionOptions, namespace, interceptors = [], ...rest } = options;
    const settings = connectionOptions ? { connectionOptions, namespace: undefined } : environmentSettings();
    const usedNamespace = namespace ?? settings.namespace;
    assertSourceGlobs(rest.sources);
    try {
      const connection = await Connection.connect(settings.connectionOptions);
      const client = new Client({
        connection,
        namespace: usedNamespace || undefined,
        interceptors: { workflow: [...interceptors] },
      });
      return new LonghaulClient(client, rest, connection);
    } catch (error) {
      throw connectFault(error, settings.connectionOptions.address ?? 'localhost:7233');
    }
  }

  /** Ends the connection that `connect` made; uploads go on. */
  async close(): Promise<void> {
    await this.#sources.close();
    await this.#connection?.close();
  }

  /**
   * Starts an upload, or attaches to the same one when it runs or has succeeded already; with `ignoreInode`, also to a
   * running one that was started with another inode of the file.
   *
   * @throws ConfigError for a wrong request, with every problem
   * @throws SourceMissingError, SourceUnusableError for a file that can't be uploaded
   * @throws UploadIdTakenError when `id` belongs to another upload
   * @throws TemporalUnreachableError
   */
  async upload(options: UploadOptions): Promise<UploadHandle> {
    const prepared = await prepareUpload(options, this.#context);
    const earlier = await findWithOtherInode(this.client, prepared);
    if (earlier === undefined) return this.#startOrAttach(WorkflowName.uploadFile, prepared, options.again);
    await ignoreInodeOf(this.client, earlier);
    return new UploadHandle(this.client, earlier, true);
  }

  /**
   * The same for a file of lines (JSONL) that may be over the limit of an Upload: it becomes several Files, cut at line
   * ends. After a failure the same call sends only the pieces that have no File yet.
   *
   * @throws as `upload`
   */
  async uploadSplit(options: SplitUploadOptions): Promise<UploadHandle<SplitUploadResult>> {
    const prepared = await prepareSplit(options, this.#context);
    return this.#startOrAttach<SplitUploadResult>(WorkflowName.uploadSplitFile, prepared, options.again);
  }

  /** An upload by its id; asks nobody yet. Name the result of a split upload: `getHandle<SplitUploadResult>(id)`. */
  getHandle<Result = UploadResult>(workflowId: string): UploadHandle<Result> {
    return new UploadHandle(this.client, workflowId);
  }

  /** Uploads, and syncs where they are asked for, newest first. @throws TemporalUnreachableError */
  list(options: ListOptions = {}): AsyncIterable<UploadSummary> {
    return listUploads(this.client, options);
  }

  async #startOrAttach<Result>(
    workflowType: keyof typeof WorkflowName,
    { request, workflowId, digest }: PreparedUpload,
    again: boolean | undefined,
  ): Promise<UploadHandle<Result>> {
    const { purpose, filename = filenameOfSource(request.source), destination = Defaults.destination } = request;
    try {
      await this.client.workflow.start(workflowType, {
        workflowId,
        taskQueue: this.taskQueue,
        args: [request],
        memo: { longhaulIdentity: digest },
        // Temporal's default of 10 s is how long a killed worker's workflow task would hold the upload up.
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
        // Its activities get the same from the workflow itself, which other languages start without this.
        priority: requestPriority(request),
        staticSummary: summaryOf(filename, purpose, destination),
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: again ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
      });
      return new UploadHandle(this.client, workflowId, false);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw fromTemporal(error, workflowId);
      await this.#assertSame(workflowId, digest);
      return new UploadHandle(this.client, workflowId, true);
    }
  }

  /**
   * Starts a run of a sync, or attaches to the one that runs with the same options. It goes on from what the last run of
   * its id handed over.
   *
   * @throws ConfigError for a wrong request, with every problem
   * @throws SourceMissingError, SourceUnusableError for a folder that can't be listed
   * @throws SyncIdTakenError when a sync of that id runs with other options
   * @throws TemporalUnreachableError
   */
  async sync(options: SyncOptions): Promise<SyncHandle> {
    const { taskQueue } = this;
    const prepared = await prepareSync(options, this.host);
    return startSync(this.client, prepared, {
      taskQueue,
      workflowTaskTimeoutMs: WORKFLOW_TASK_TIMEOUT_MS,
    });
  }

  /** A sync by its id; asks nobody yet. */
  getSyncHandle(workflowId: string): SyncHandle {
    return new SyncHandle(this.client, workflowId);
  }

  /** A retried completion or a second command must not get the File of somebody else's bytes. */
  async #assertSame(workflowId: string, digest: string): Promise<void> {
    const { identity: known } = await this.getHandle(workflowId).describe();
    if (known !== undefined && known !== digest) throw new UploadIdTakenError(workflowId);
  }
}

function connectFault(error: unknown, address: string): unknown {
  const fault = grpcFault(error);
  if (fault && !isTemporalAway(error)) return grpcError(fault, error);
  const { problem, fix } = fault
    ? grpcCause(fault)
    : { problem: (error as Error).message, fix: 'Check the address, TLS and the credentials' };
  const message = sentences({ problem: `no Temporal server answers at ${address}: ${problem}`, fix });
  return new TemporalUnreachableError(message, { cause: error });
}

function environmentSettings(): TemporalSettings {
  try {
    return temporalSettings();
  } catch (error) {
    throw new ConfigError(`invalid configuration of Temporal: ${(error as Error).message}`, { cause: error });
  }
}
