import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import type { ListedFile, UploadedFile, UploadSession } from '../contracts/upload.ts';
import { StrangeAnswerError } from '../errors.ts';
import { partAnswer, type FilePage } from './responses.ts';
import { BufferPool } from './http/buffer-pool.ts';
import type { CallOptions } from './http/call-limits.ts';
import { resolveProfile, type DestinationProfile, type ResolvedProfile } from './profile.ts';
import { deleteFile, downloadFile, listFiles, retrieveFile, type ListFilesQuery } from './files.ts';
import { Http } from './http/http.ts';
import {
  cancelUpload,
  completeUpload,
  createUpload,
  pathOfUpload,
  type CompleteUploadFields,
  type CreateUploadFields,
} from './sessions.ts';
import { createMultipartPart, type PartContent } from './http/multipart-part.ts';
import type { CallWatch, Gate, Part } from './port.ts';
import { sendThrough } from './sent-part.ts';

export interface UploadsClientOptions {
  /** @defaultValue nothing is delayed */
  readonly gate?: Gate | undefined;
  readonly watch?: CallWatch | undefined;
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
  readonly #gate: Gate | undefined;
  readonly #watch: CallWatch;

  /** @throws ConfigError when the profile's base URL, key or headers can't be used */
  constructor(profile: DestinationProfile, { gate, watch = {} }: UploadsClientOptions = {}) {
    this.#gate = gate;
    this.#watch = watch;
    this.#profile = resolveProfile(profile);
    this.#http = new Http(this.#profile, watch.around);
  }

  /**
   * Opens a session. If the response does not contain its end, one hour is assumed.
   *
   * @throws StrangeAnswerError if its times cannot be used; the session is cancelled then
   */
  async createUpload(fields: CreateUploadFields, options: CallOptions = {}): Promise<UploadSession> {
    const session = await createUpload(this.#http, fields, options);
    this.#watch.opened?.();
    return session;
  }

  /**
   * Sends one range of a source as a Part, never holding more of it than two small buffers. When this rejects a read may
   * still be pending; closing the reader then is fine.
   *
   * @throws SourceChangedError when the source ends within the range; SourceReadError when it can't be read
   */
  addPart(uploadId: string, part: Part, options: CallOptions = {}): Promise<{ partId: string }> {
    return sendThrough(part, { gate: this.#gate, signal: options.signal }, (start) =>
      this.#http.withKey(() => this.#sendPart(uploadId, start(), options)),
    );
  }

  async #sendPart(uploadId: string, content: PartContent, options: CallOptions): Promise<{ partId: string }> {
    const part = createMultipartPart(content, this.#buffers);
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
    await this.#gate?.enterRequest(options.signal);
    return listFiles(this.#http, query, options);
  }

  async retrieveFile(fileId: string, options: CallOptions = {}): Promise<ListedFile> {
    await this.#gate?.enterRequest(options.signal);
    return retrieveFile(this.#http, fileId, options);
  }

  async deleteFile(fileId: string, options: CallOptions = {}): Promise<void> {
    await this.#gate?.enterRequest(options.signal);
    return deleteFile(this.#http, fileId, options);
  }

  /** The content while it arrives; read it to its end or destroy it. `timeoutMs` bounds the whole download. */
  async downloadFile(fileId: string, options: CallOptions = {}): Promise<Readable> {
    await this.#gate?.enterRequest(options.signal);
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
