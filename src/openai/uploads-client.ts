import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import type { CreateUploadInput } from '../contracts/activities.ts';
import type { ListedFile, UploadedFile, UploadSession } from '../contracts/upload.ts';
import { StrangeAnswerError } from '../errors.ts';
import {
  cancelAnswer,
  completeAnswer,
  createdAnswer,
  partAnswer,
  sessionAnswer,
  type CompletedFile,
  type FilePage,
} from './answers.ts';
import { BufferPool } from './buffer-pool.ts';
import type { CallOptions } from './call-limits.ts';
import { resolveProfile, type DestinationProfile, type ResolvedProfile } from './destination-profile.ts';
import { deleteFile, downloadFile, listFiles, retrieveFile, type ListFilesQuery } from './files.ts';
import { Http, type AroundCall, type HttpCall } from './http.ts';
import { createMultipartPart, type Pace, type PartContent } from './multipart-part.ts';

export type CreateUploadFields = Omit<CreateUploadInput, 'destination'>;

export interface CompleteUploadFields {
  /** In the order of the content. */
  readonly partIds: readonly string[];
  /** Of the whole content, lower-case hex. */
  readonly md5?: string | undefined;
  /** Facts of the File for those that the response omits, or reports as null. Times are Unix seconds. */
  readonly file: Pick<UploadedFile, 'bytes' | 'createdAt' | 'filename' | 'purpose'>;
}

/** How far to cancel a session that this client cannot use. */
const CANCEL_TIMEOUT_MS = 10_000;

/** Holds requests to `/files` back until they may be made. */
export interface FilesPermits {
  take(signal?: AbortSignal): Promise<void>;
}

/** Leave to send one part, and what is told about it meanwhile. */
export interface PartPlace {
  /** `bytes` more were taken by the socket. */
  readonly sent: (bytes: number) => void;
  /** @param waitMs from the last byte to the answer */
  readonly answered: (waitMs: number) => void;
  readonly failed: (error: unknown) => void;
  /** Once, however it ended. */
  readonly leave: () => void;
}

/** Holds parts back until they may be sent. */
export interface PartPlacesOf {
  take(signal?: AbortSignal): Promise<PartPlace>;
}

export interface UploadsClientOptions {
  /** Asked before each request to `/files`; the wait is no part of the request's time. */
  readonly permits?: FilesPermits | undefined;
  /** Asked before each part; the wait is no part of the request's time either. */
  readonly places?: PartPlacesOf | undefined;
  /** Holds each piece of a part back until it may go. */
  readonly pace?: Pace | undefined;
  /** Runs each call, to see what becomes of it. */
  readonly around?: AroundCall | undefined;
}

/**
 * The Uploads and Files API of one destination. Every method makes one attempt and throws
 * - ApiError for a status other than 2xx,
 * - StrangeAnswerError for a success whose body isn't what the API promises,
 * - ConnectionError, TimeoutError or AbortedError when there was no complete answer.
 */
export class UploadsClient {
  readonly #profile: ResolvedProfile;
  readonly #http: Http;
  readonly #buffers = new BufferPool();
  readonly #permits: FilesPermits | undefined;
  readonly #places: PartPlacesOf | undefined;
  readonly #pace: Pace | undefined;

  /** @throws ConfigError when the profile's base URL, key or headers can't be used */
  constructor(profile: DestinationProfile, { permits, places, pace, around }: UploadsClientOptions = {}) {
    this.#permits = permits;
    this.#places = places;
    this.#pace = pace;
    this.#profile = resolveProfile(profile);
    this.#http = new Http(this.#profile, around);
  }

  /**
   * Opens a session. If the response does not contain its end, one hour is assumed.
   *
   * @throws StrangeAnswerError if its times cannot be used; the session is cancelled then
   */
  async createUpload(fields: CreateUploadFields, options: CallOptions = {}): Promise<UploadSession> {
    const { filename, purpose, bytes, mimeType, fileExpiresAfterSeconds } = fields;
    const action = 'creating an upload';
    const answer = await this.#post('/uploads', action, options, createdAnswer, {
      filename,
      purpose,
      bytes,
      mime_type: mimeType,
      // The life of the resulting File; the Upload's own can't be chosen.
      ...(fileExpiresAfterSeconds === undefined
        ? {}
        : { expires_after: { anchor: 'created_at', seconds: fileExpiresAfterSeconds } }),
    });
    const session = sessionAnswer.safeParse(answer);
    if (session.success) return session.data;
    const isSessionCancelled = await this.cancelUpload(answer.id, { timeoutMs: CANCEL_TIMEOUT_MS }).then(
      () => true,
      () => false,
    );
    const problems = session.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw new StrangeAnswerError(
      `${this.#http.host} returned times that cannot be used (${problems}), while ${action}`,
      {
        isSessionCancelled,
      },
    );
  }

  /**
   * Sends one range of a source as a Part, never holding more of it than two small buffers. When this rejects a read may
   * still be pending; closing the reader then is fine.
   *
   * @throws SourceChangedError when the source ends within the range; SourceReadError when it can't be read
   */
  async addPart(uploadId: string, content: PartContent, options: CallOptions = {}): Promise<{ partId: string }> {
    const place = await this.#places?.take(options.signal);
    const send = (part: PartContent) => this.#http.withKey(() => this.#sendPart(uploadId, part, options));
    if (!place) return send(content);
    let sentBytes = 0;
    let sentAtMs = 0;
    const onBytesSent = (totalBytes: number) => {
      // Less than before: the part is sent again with another key.
      place.sent(totalBytes - (totalBytes < sentBytes ? 0 : sentBytes));
      sentBytes = totalBytes;
      if (totalBytes === content.sizeBytes) sentAtMs = performance.now();
      content.onBytesSent?.(totalBytes);
    };
    try {
      const answer = await send({ ...content, onBytesSent });
      // The last chunk tells nobody when the answer is quicker.
      place.answered(sentAtMs === 0 ? 0 : performance.now() - sentAtMs);
      return answer;
    } catch (error) {
      place.failed(error);
      throw error;
    } finally {
      place.leave();
    }
  }

  async #sendPart(uploadId: string, content: PartContent, options: CallOptions): Promise<{ partId: string }> {
    const part = createMultipartPart({ ...content, pace: both(this.#pace, content.pace) }, this.#buffers);
    const action = `adding a part to ${uploadId}`;
    try {
      const answer = await this.#http.json(
        {
          signal: options.signal,
          timeoutMs: options.timeoutMs ?? this.#profile.partTimeoutMs,
          action,
          method: 'POST',
          path: `${pathOf(uploadId)}/parts`,
          contentType: part.contentType,
          contentLength: part.contentLength,
          body: part.body,
          stallTimeoutMs: this.#profile.stallTimeoutMs,
        },
        partAnswer,
      );
      if (!part.isSent()) {
        throw new StrangeAnswerError(`${this.#http.host} took a part before all of it was sent, while ${action}`);
      }
      return answer;
    } finally {
      part.stop();
    }
  }

  /** Accepts the Upload with its nested File, or the bare File. */
  async completeUpload(
    uploadId: string,
    fields: CompleteUploadFields,
    options: CallOptions = {},
  ): Promise<UploadedFile> {
    const { id, expiresAt, status, ...file } = await this.#complete(uploadId, fields, options);
    return {
      id,
      bytes: file.bytes ?? fields.file.bytes,
      createdAt: file.createdAt ?? fields.file.createdAt,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      filename: file.filename ?? fields.file.filename,
      purpose: file.purpose ?? fields.file.purpose,
      ...(status === undefined ? {} : { status }),
    };
  }

  #complete(uploadId: string, { partIds, md5 }: CompleteUploadFields, options: CallOptions): Promise<CompletedFile> {
    const schema = completeAnswer(uploadId);
    const path = `${pathOf(uploadId)}/complete`;
    const action = `completing ${uploadId}`;
    const limits = { signal: options.signal, timeoutMs: options.timeoutMs ?? this.#profile.completeTimeoutMs };
    if (this.#profile.completeEncoding === 'json') {
      const body = { part_ids: partIds, ...(md5 === undefined ? {} : { md5 }) };
      return this.#post(path, action, limits, schema, body);
    }
    const form = new URLSearchParams(partIds.map((partId): [string, string] => ['part_ids', partId]));
    if (md5 !== undefined) form.set('md5', md5);
    return this.#http.json(
      {
        ...limits,
        action,
        method: 'POST',
        path,
        contentType: 'application/x-www-form-urlencoded',
        body: form.toString(),
      },
      schema,
    );
  }

  /** @returns the status that the service reports afterwards, if it does: a lenient service accepts any Upload */
  async cancelUpload(uploadId: string, options: CallOptions = {}): Promise<{ readonly status: string | undefined }> {
    const { signal, timeoutMs } = options;
    const path = `${pathOf(uploadId)}/cancel`;
    const call = { signal, timeoutMs, action: `cancelling ${uploadId}`, method: 'POST', path, acceptsAnyBody: true };
    const { status } = await this.#http.json(call as HttpCall, cancelAnswer);
    return { status };
  }

  async listFiles(query: ListFilesQuery = {}, options: CallOptions = {}): Promise<FilePage> {
    await this.#permits?.take(options.signal);
    return listFiles(this.#http, query, options);
  }

  async retrieveFile(fileId: string, options: CallOptions = {}): Promise<ListedFile> {
    await this.#permits?.take(options.signal);
    return retrieveFile(this.#http, fileId, options);
  }

  async deleteFile(fileId: string, options: CallOptions = {}): Promise<void> {
    await this.#permits?.take(options.signal);
    return deleteFile(this.#http, fileId, options);
  }

  /** The content while it arrives; read it to its end or destroy it. `timeoutMs` bounds the whole download. */
  async downloadFile(fileId: string, options: CallOptions = {}): Promise<Readable> {
    await this.#permits?.take(options.signal);
    return downloadFile(this.#http, fileId, this.#profile.stallTimeoutMs, options);
  }

  /** Ends every connection; calls under way reject with ConnectionError. */
  close(): Promise<void> {
    return this.#http.close();
  }

  toJSON(): unknown {
    return { profile: this.#profile };
  }

  [inspect.custom](): unknown {
    return { profile: this.#profile };
  }

  #post<Schema extends Parameters<Http['json']>[1]>(
    path: string,
    action: string,
    { signal, timeoutMs }: CallOptions,
    schema: Schema,
    body?: unknown,
  ) {
    return this.#http.json(
      {
        signal,
        timeoutMs,
        action,
        method: 'POST',
        path,
        ...(body === undefined ? {} : { contentType: 'application/json', body: JSON.stringify(body) }),
      },
      schema,
    );
  }
}

/** Waits for both. */
function both(one: Pace | undefined, other: Pace | undefined): Pace | undefined {
  if (!one || !other) return one ?? other;
  return (bytes) => {
    const turns = [one(bytes), other(bytes)].filter((turn) => turn !== undefined);
    return turns.length === 0 ? undefined : Promise.all(turns);
  };
}

function pathOf(uploadId: string): string {
  return `/uploads/${encodeURIComponent(uploadId)}`;
}
