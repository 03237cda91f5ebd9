import { Client, Connection, type ConnectionOptions, type WorkflowClientInterceptor } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { assertSources } from '../config/sources.ts';
import { temporalSettings, type TemporalSettings, environmentDataConverter } from '../config/temporal.ts';
import { Defaults, openAiLimits } from '../contracts/limits.ts';
import { DEFAULT_TASK_QUEUE } from '../contracts/names.ts';
import type { JobKind } from '../contracts/upload.ts';
import { ConfigError } from '../errors.ts';
import { thisHost } from '../config/host-identity.ts';
import { SchedulesClient } from './schedules/schedules-client.ts';
import { Sources } from '../sources/sources.ts';
import { sealKeyOf, type SourceSettings } from '../sources/source-settings.ts';
import { hidesNames, tolerantClient } from '../temporal/tolerant-client.ts';
import { grpcCause, grpcFault, sentences } from '../temporal/grpc-cause.ts';
import { assertClientOptions, assertListOptions, assertTemporalClient } from './prepare/option-problems.ts';
import {
  prepareSplit,
  type SplitUploadOptions,
  prepareUpload,
  type PrepareContext,
  type UploadOptions,
} from './prepare/prepare-upload.ts';
import { autoSize, withAutoSize } from './prepare/auto-size.ts';
import { prepareSync, type SyncOptions } from './prepare/prepare-sync.ts';
import { JobHandle } from './job-handle.ts';
import { startJob, type PreparedJob } from './start-job.ts';
import { grpcError, isTemporalAway } from '../temporal/temporal-fault.ts';
import { TemporalUnreachableError } from '../temporal/temporal-errors.ts';
import { listUploads, type ListOptions, type UploadSummary } from './lists/list-uploads.ts';

/** Options of a `LonghaulClient` on a Temporal client that your program created. */
export interface LonghaulClientOptions {
  /** Name of the control queue of the workers. @defaultValue `longhaul` */
  readonly taskQueue?: string;
  /** Name of this machine, for files that only it can read. Its worker must use the same name. @defaultValue `LONGHAUL_HOST`, or the host name */
  readonly host?: string;
  /** Settings with which a `url` is inspected before its upload. @defaultValue S3 by AWS's environment, HTTP hosts with public addresses */
  readonly sources?: SourceSettings;
}

/** Options of `LonghaulClient.connect`. Without options, it uses the same environment variables as the command. */
export interface ConnectOptions extends LonghaulClientOptions {
  /**
   * Address, TLS and API key of Temporal. If it is set, Temporal's environment configuration is not read: a key of the
   * environment is never sent to another address.
   *
   * @defaultValue `TEMPORAL_ADDRESS`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…` and Temporal's config file, as in the command;
   * otherwise localhost:7233
   */
  readonly connection?: ConnectionOptions;
  /** Namespace of Temporal. @defaultValue `TEMPORAL_NAMESPACE` or Temporal's config file, unless `connection` is set; otherwise `default` */
  readonly namespace?: string;
  /** Interceptors of the calls to Temporal, for traces. @defaultValue none */
  readonly interceptors?: readonly WorkflowClientInterceptor[];
  /**
   * Codecs of all payloads. Workers need the same.
   *
   * @defaultValue encryption with the keys of `LONGHAUL_ENCRYPTION_KEY_FILE` (`encryptedDataConverter`); otherwise none
   */
  readonly dataConverter?: DataConverter | undefined;
}

/** Client of Longhaul. Its methods throw subclasses of `LonghaulError`, with a stable `code`. */
export class LonghaulClient {
  /** The client of Temporal's SDK. */
  readonly temporal: Client;
  /** Name of the control queue, on which jobs start. */
  readonly taskQueue: string;
  /** Name of this machine in sources that only it can read. */
  readonly host: string;
  /** Syncs and uploads at set times. */
  readonly schedules: SchedulesClient;
  readonly #connection: Connection | undefined;
  readonly #sources: Sources;
  readonly #context: PrepareContext;

  /**
   * @param client an existing Temporal client, which the caller closes. If it has no payload codecs, Longhaul's payloads are
   *   encrypted with the keys of `LONGHAUL_ENCRYPTION_KEY_FILE`, if this variable is set
   * @throws ConfigError if an option is invalid
   */
  constructor(client: Client, options: LonghaulClientOptions = {}, connection?: Connection) {
    assertTemporalClient(client);
    assertClientOptions(options, 'constructor');
    assertSources(options.sources);
    const hasCodecs = client.options.loadedDataConverter.payloadCodecs.length > 0;
    this.temporal = tolerantClient(client, hasCodecs ? undefined : environmentDataConverter()?.payloadCodecs);
    this.taskQueue = options.taskQueue ?? DEFAULT_TASK_QUEUE;
    this.host = thisHost(options.host);
    this.schedules = new SchedulesClient(this.temporal, this.taskQueue);
    this.#connection = connection;
    this.#sources = new Sources(options.sources);
    this.#context = {
      host: this.host,
      sources: this.#sources,
      sealKey: sealKeyOf(options.sources),
      hidesNames: hidesNames(this.temporal),
    };
  }

  /**
   * Connects to Temporal, by default with its environment configuration.
   *
   * @throws ConfigError if an option or that configuration is invalid
   * @throws TemporalDeniedError, TemporalUnreachableError
   */
  static async connect(options: ConnectOptions = {}): Promise<LonghaulClient> {
    assertClientOptions(options, 'connect');
    const { connection: connectionOptions, namespace, interceptors = [], dataConverter, ...rest } = options;
    const settings = connectionOptions ? { connectionOptions, namespace: undefined } : environmentSettings();
    const usedNamespace = namespace ?? settings.namespace;
    assertSources(rest.sources);
    const address = settings.connectionOptions.address ?? 'localhost:7233';
    const connection = lazyConnection(settings.connectionOptions, address);
    try {
      await connection.ensureConnected().catch((error: unknown) => {
        throw connectFault(error, address);
      });
      const client = new Client({
        connection,
        namespace: usedNamespace || undefined,
        dataConverter: dataConverter ?? environmentDataConverter(),
        interceptors: { workflow: [...interceptors] },
      });
      return new LonghaulClient(client, rest, connection);
    } catch (error) {
      // `Connection.connect` leaves it open.
      await connection.close();
      throw error;
    }
  }

  /**
   * Closes the connection of `connect`. Uploads continue. A pending `result` or `receipt` rejects after at most 20 s. To end
   * it immediately, abort its signal.
   */
  async close(): Promise<void> {
    await this.#sources.close();
    await this.#connection?.close();
  }

  /**
   * Starts an upload, or attaches to the same one if it is running or completed. With `ignoreInode`, it also attaches to a
   * running upload that was started with another inode of the file.
   *
   * @throws ConfigError if the request is invalid, with every problem
   * @throws SourceMissingError, SourceUnusableError if the file cannot be uploaded
   * @throws JobIdTakenError if `id` belongs to another upload
   * @throws TemporalUnreachableError
   */
  async upload(options: UploadOptions): Promise<JobHandle<'upload'>> {
    return this.#start(await prepareUpload(options, this.#context));
  }

  /**
   * Starts an upload of a JSONL file that can be larger than the limit of an Upload, as several Files that are cut at line
   * ends, or attaches to the same one. After a failure, the same call sends only the pieces without a File.
   *
   * @throws as `upload`
   */
  async uploadSplit(options: SplitUploadOptions): Promise<JobHandle<'split'>> {
    const job = await prepareSplit(options, this.#context);
    if (options.pieceSizeBytes !== 'auto') return this.#start(job);
    const { destination = Defaults.destination } = options;
    const size = await autoSize(this.temporal, this.taskQueue, destination, openAiLimits);
    return this.#start(await withAutoSize(this.temporal, job, size));
  }

  /**
   * Starts a run of a sync, or attaches to a running one with the same options. A run starts with the memory of the last run
   * of its ID.
   *
   * @throws ConfigError if the request is invalid, with every problem
   * @throws SourceMissingError, SourceUnusableError if the folder cannot be listed
   * @throws JobIdTakenError if a sync of this ID is running with other options
   * @throws TemporalUnreachableError
   */
  async sync(options: SyncOptions): Promise<JobHandle<'sync'>> {
    return this.#start(await prepareSync(options, this.host, hidesNames(this.temporal)));
  }

  /**
   * Returns the handle to a job, without a call to Temporal. Types are those of an upload, unless the kind is set:
   * `getHandle<'sync'>(id)`.
   *
   * @throws ConfigError if no workflow can have the ID
   */
  getHandle<Kind extends JobKind = 'upload'>(workflowId: string): JobHandle<Kind> {
    return new JobHandle(this.temporal, workflowId);
  }

  /**
   * Lists uploads, and with `syncs` also syncs, newest first.
   *
   * @throws ConfigError if an option is invalid
   * @throws TemporalUnreachableError
   */
  list(options: ListOptions = {}): AsyncIterable<UploadSummary> {
    assertListOptions(options);
    return listUploads(this.temporal, options);
  }

  #start<Job extends PreparedJob>(job: Job): Promise<JobHandle<Job['kind']>> {
    return startJob(this.temporal, this.taskQueue, job);
  }
}

/** @throws ConfigError if the options of the connection are invalid */
function lazyConnection(options: ConnectionOptions, address: string): Connection {
  try {
    return Connection.lazy(options);
  } catch (error) {
    const problem = `cannot connect to Temporal at ${address}: ${(error as Error).message}`;
    throw new ConfigError(sentences({ problem, fix: 'Check the address, TLS and the credentials' }), { cause: error });
  }
}

function connectFault(error: unknown, address: string): unknown {
  const fault = grpcFault(error);
  if (fault && !isTemporalAway(error)) return grpcError(fault, error);
  const { problem, fix } = fault
    ? grpcCause(fault)
    : { problem: (error as Error).message, fix: 'Check the address, TLS and the credentials' };
  const message = sentences({ problem: `cannot connect to Temporal at ${address}: ${problem}`, fix });
  return new TemporalUnreachableError(message, { cause: error });
}

function environmentSettings(): TemporalSettings {
  try {
    return temporalSettings();
  } catch (error) {
    throw new ConfigError(`invalid configuration of Temporal: ${(error as Error).message}`, { cause: error });
  }
}
