import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import type { ListedFile, UploadedFile, UploadSession } from '../contracts/upload.ts';
import { StrangeAnswerError } from '../errors.ts';
import { partAnswer, type FilePage } from './responses.ts';
import { BufferPool } from './http/buffer-pool.ts';
import type { CallOptions } from './http/call-limits.ts';
import { resolveProfile, type DestinationProfile, type ResolvedProfile } from './profile.ts';
import { deleteFile, downloadFile, listFiles, retrieveFile, type ListFilesQuery } from './files.ts';
import { Http, type AroundCall } from './http/http.ts';
import {
  cancelUpload,
  completeUpload,
  createUpload,
  pathOfUpload,
  type CompleteUploadFields,
  type CreateUploadFields,
} from './sessions.ts';
import { createMultipartPart, type Pace, type PartContent } from './http/multipart-part.ts';

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
  createUpload(fields: CreateUploadFields, options: CallOptions = {}): Promise<UploadSession> {
    return createUpload(this.#http, fields, options);
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
          path: `${pathOfUpload(uploadId)}/parts`,
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
  completeUpload(uploadId: string, fields: CompleteUploadFields, options: CallOptions = {}): Promise<UploadedFile> {
    return completeUpload(this.#http, this.#profile, uploadId, fields, options);
  }

  /** @returns the status that the service reports afterwards, if it does: a lenient service accepts any Upload */
  cancelUpload(uploadId: string, options: CallOptions = {}): Promise<{ readonly status: string | undefined }> {
    return cancelUpload(this.#http, uploadId, options);
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
}

/** Waits for both. */
function both(one: Pace | undefined, other: Pace | undefined): Pace | undefined {
  if (!one || !other) return one ?? other;
  return (bytes) => {
    const turns = [one(bytes), other(bytes)].filter((turn) => turn !== undefined);
    return turns.length === 0 ? undefined : Promise.all(turns);
  };
}
