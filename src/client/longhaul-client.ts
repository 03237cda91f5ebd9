import { realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, resolve } from 'node:path';
import { Client, Connection, WorkflowExecutionAlreadyStartedError, type ConnectionOptions } from '@temporalio/client';
import { Defaults, Limits } from '../contracts/limits.ts';
import { DEFAULT_TASK_QUEUE, WorkflowName } from '../contracts/names.ts';
import type { Source, UploadRequest } from '../contracts/upload.ts';
import { formatBytes } from '../core/format.ts';
import { uploadRequestProblems } from '../core/upload-request.ts';
import { ConfigError, SourceUnusableError } from '../errors.ts';
import { openSource } from '../sources/open-source.ts';
import { fromTemporal } from './temporal-faults.ts';
import { TemporalUnreachableError, UploadIdTakenError } from './upload-errors.ts';
import { UploadHandle } from './upload-handle.ts';
import { identityDigest, workflowIdOf } from './upload-identity.ts';
import { listUploads, type ListOptions, type UploadSummary } from './list-uploads.ts';

export interface LonghaulClientOptions {
  /** @defaultValue `longhaul` */
  readonly taskQueue?: string;
  /** Name of this machine for files that only it can read; its worker must have the same. @defaultValue the host name */
  readonly host?: string;
}

export interface ConnectOptions extends LonghaulClientOptions {
  /** @defaultValue localhost:7233 */
  readonly connection?: ConnectionOptions;
  /** @defaultValue `default` */
  readonly namespace?: string;
}

export interface UploadOptions extends Omit<UploadRequest, 'source'> {
  /** A file of this machine; its parts run on this machine's worker. Give this or `source`. */
  readonly file?: string;
  readonly source?: Source;
  /** Idempotency key: the workflow id. @defaultValue derived from source, fingerprint, name, purpose and destination */
  readonly id?: string;
  /** Upload once more what was uploaded already. An upload that still runs is attached to all the same. */
  readonly again?: boolean;
  /** Base URL behind `destination`, where it may differ between callers; part of the derived id. */
  readonly baseUrl?: string;
}

/** The library's entrance. Its methods throw errors below `LonghaulError`, with a stable `code`. */
export class LonghaulClient {
  readonly client: Client;
  readonly taskQueue: string;
  readonly host: string;
  readonly #connection: Connection | undefined;

  /** @param client a Temporal client of yours; it stays yours to close */
  constructor(client: Client, options: LonghaulClientOptions = {}, connection?: Connection) {
    this.client = client;
    this.taskQueue = options.taskQueue ?? DEFAULT_TASK_QUEUE;
    this.host = options.host ?? hostname();
    this.#connection = connection;
  }

  /** @throws TemporalUnreachableError */
  static async connect(options: ConnectOptions = {}): Promise<LonghaulClient> {
    const { connection: connectionOptions, namespace, ...rest } = options;
    try {
      const connection = await Connection.connect(connectionOptions);
      return new LonghaulClient(new Client({ connection, ...(namespace ? { namespace } : {}) }), rest, connection);
    } catch (error) {
      const address = connectionOptions?.address ?? 'localhost:7233';
      const message = `no Temporal server answers at ${address} (${(error as Error).message})`;
      throw new TemporalUnreachableError(message, { cause: error });
    }
  }

  /** Ends the connection that `connect` made; uploads go on. */
  async close(): Promise<void> {
    await this.#connection?.close();
  }

  /**
   * Starts an upload, or attaches to the same one when it runs or has succeeded already.
   *
   * @throws ConfigError for a wrong request, with every problem
   * @throws SourceUnusableError for a file that can't be uploaded
   * @throws UploadIdTakenError when `id` belongs to another upload
   * @throws TemporalUnreachableError
   */
  async upload(options: UploadOptions): Promise<UploadHandle> {
    const { request, id, digest } = await this.prepare(options);
    const { source, purpose, filename = basename(source.path) } = request;
    try {
      await this.client.workflow.start(WorkflowName.uploadFile, {
        workflowId: id,
        taskQueue: this.taskQueue,
        args: [request],
        memo: { longhaulIdentity: digest },
        staticSummary: `${filename} → ${purpose} (${request.destination ?? Defaults.destination})`,
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: options.again ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
      });
      return new UploadHandle(this.client, id, false);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw fromTemporal(error, id);
      await this.#assertSame(id, digest);
      return new UploadHandle(this.client, id, true);
    }
  }

  /** An upload by its id; asks nobody yet. */
  getHandle(workflowId: string): UploadHandle {
    return new UploadHandle(this.client, workflowId);
  }

  /** Uploads, newest first. @throws TemporalUnreachableError */
  list(options: ListOptions = {}): AsyncIterable<UploadSummary> {
    return listUploads(this.client, options);
  }

  /**
   * Checks an upload and gives it its id, without starting it.
   *
   * @throws ConfigError, SourceUnusableError as `upload` does
   */
  async prepare(options: UploadOptions): Promise<{ request: UploadRequest; id: string; digest: string }> {
    const { file, source: given, id, again: _again, baseUrl, ...rest } = options;
    if ((file === undefined) === (given === undefined)) throw new ConfigError('give either "file" or "source"');
    const source: Source = given ?? { type: 'file', path: await this.#resolveFile(file as string), host: this.host };
    const fingerprint = file === undefined ? rest.expectedFingerprint : await fingerprintOf(source);
    const request: UploadRequest = {
      source,
      ...rest,
      filename: rest.filename ?? basename(file ?? source.path),
      ...(fingerprint === undefined ? {} : { expectedFingerprint: fingerprint }),
    };
    const problems = uploadRequestProblems(request);
    if (problems.length > 0) throw new ConfigError(`wrong upload request: ${problems.join('; ')}`);

    const identity = {
      source,
      fingerprint,
      filename: request.filename as string,
      purpose: request.purpose,
      destination: request.destination ?? Defaults.destination,
      baseUrl,
    };
    return { request, id: id ?? workflowIdOf(identity), digest: identityDigest(identity) };
  }

  async #resolveFile(file: string): Promise<string> {
    try {
      return await realpath(file);
    } catch {
      // Let the source itself say what is wrong with it.
      return resolve(file);
    }
  }

  /** A retried completion or a second command must not get the File of somebody else's bytes. */
  async #assertSame(workflowId: string, digest: string): Promise<void> {
    const { identity: known } = await this.getHandle(workflowId).describe();
    if (known !== undefined && known !== digest) throw new UploadIdTakenError(workflowId);
  }
}

async function fingerprintOf(source: Source): Promise<string> {
  const reader = await openSource(source);
  try {
    const { sizeBytes, fingerprint } = await reader.stat();
    if (sizeBytes > Limits.maxFileBytes) {
      throw new SourceUnusableError(
        `${source.path} has ${formatBytes(sizeBytes)}; an Upload takes ${formatBytes(Limits.maxFileBytes)} at most: split the file`,
      );
    }
    return fingerprint;
  } finally {
    await reader.close();
  }
}
