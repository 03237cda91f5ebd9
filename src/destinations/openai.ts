import { inspect } from 'node:util';
import type { DestinationLimits } from '../contracts/limits.ts';
import type { UploadedFile, UploadSession } from '../contracts/upload.ts';
import { StrangeAnswerError } from '../errors.ts';
import { ApiFiles } from './files.ts';
import { limitsOf } from './limits.ts';
import { BufferPool } from './http/buffer-pool.ts';
import type { CallOptions } from './http/call-limits.ts';
import { Http } from './http/http.ts';
import { createMultipartPart, type PartContent } from './http/multipart-part.ts';
import type { CallWatch, Completion, Destination, DestinationOptions, FileStore, Gate, NewFile, Part } from './port.ts';
import { resolveProfile, type DestinationProfile, type ResolvedProfile } from './profile.ts';
import { partAnswer } from './responses.ts';
import { sendThrough } from './sent-part.ts';
import { cancelUpload, completeUpload, createUpload, pathOfUpload } from './sessions.ts';

/** The Uploads and Files API of OpenAI, and of services with the same routes. */
export class OpenAiDestination implements Destination {
  readonly files: FileStore;
  readonly #profile: ResolvedProfile;
  readonly #http: Http;
  readonly #buffers = new BufferPool();
  readonly #gate: Gate | undefined;
  readonly #watch: CallWatch;

  /** @throws ConfigError if the base URL, the key or the headers of the profile cannot be used */
  constructor(profile: DestinationProfile, { gate, watch = {} }: DestinationOptions = {}) {
    this.#gate = gate;
    this.#watch = watch;
    this.#profile = resolveProfile(profile);
    this.#http = new Http(this.#profile, watch.around);
    this.files = new ApiFiles(this.#http, gate, this.#profile.stallTimeoutMs);
  }

  limits(purpose: string): DestinationLimits {
    return limitsOf(this.#profile, purpose);
  }

  async open(file: NewFile, call: CallOptions = {}): Promise<UploadSession> {
    const session = await createUpload(this.#http, file, this.limits(file.purpose).sessionSeconds, call);
    this.#watch.opened?.();
    return session;
  }

  /** Holds at most two small buffers of the range in memory. */
  send(uploadId: string, part: Part, call: CallOptions = {}): Promise<{ partId: string }> {
    return sendThrough(part, { gate: this.#gate, signal: call.signal }, (start) =>
      this.#http.withKey(() => this.#sendPart(uploadId, start(), call)),
    );
  }

  async #sendPart(uploadId: string, content: PartContent, call: CallOptions): Promise<{ partId: string }> {
    const part = createMultipartPart(content, this.#buffers);
    const action = `adding a part to ${uploadId}`;
    try {
      const answer = await this.#http.json(
        {
          signal: call.signal,
          timeoutMs: call.timeoutMs ?? this.#profile.partTimeoutMs,
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
        throw new StrangeAnswerError(`${this.#http.host} accepted a part before all of it was sent while ${action}`);
      }
      return answer;
    } finally {
      part.stop();
    }
  }

  /** Accepts the Upload with its nested File, or the bare File. */
  complete(uploadId: string, completion: Completion, call: CallOptions = {}): Promise<UploadedFile> {
    return completeUpload(this.#http, this.#profile, uploadId, completion, call);
  }

  cancel(uploadId: string, call: CallOptions = {}): Promise<{ readonly status: string | undefined }> {
    return cancelUpload(this.#http, uploadId, call);
  }

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
