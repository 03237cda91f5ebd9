import type { Readable } from 'node:stream';
import type { CreateUploadInput } from '../contracts/activities.ts';
import type { DestinationLimits } from '../contracts/limits.ts';
import type { ListedFile, UploadedFile, UploadSession } from '../contracts/upload.ts';
import type { SourceReader } from '../sources/source-reader.ts';
import type { CallOptions } from './http/call-limits.ts';
import type { AroundCall } from './http/call.ts';
import type { Pace } from './http/multipart-part.ts';
import type { FilePage } from './responses.ts';

/**
 * A service that creates Files from parts. Each method makes one attempt. It throws
 * - ApiError for a status other than 2xx,
 * - StrangeAnswerError for a success whose body does not follow the API,
 * - ConnectionError, TimeoutError or AbortedError if there was no complete response,
 * - ConfigError if the key cannot be read.
 *
 * An `uploadId` is what `open` returned. It is in the history of the upload, so a kind whose sessions need more facts puts
 * them into it, but never a secret such as a presigned URL.
 */
export interface Destination {
  /** What the service accepts for Files of a purpose. */
  limits(purpose: string): DestinationLimits;
  /** @throws StrangeAnswerError also if the session cannot be used; it is cancelled then */
  open(file: NewFile, call?: CallOptions): Promise<UploadSession>;
  /**
   * Sends one range of a source. After a rejection, a read can still be pending; the reader can be closed then.
   *
   * @returns the ID by which `complete` refers to the part
   * @throws SourceChangedError if the source ends within the range, SourceReadError if it cannot be read
   */
  send(uploadId: string, part: Part, call?: CallOptions): Promise<{ readonly partId: string }>;
  complete(uploadId: string, completion: Completion, call?: CallOptions): Promise<UploadedFile>;
  /** @returns the status that the service reports afterwards, if it does: a lenient service accepts any session */
  cancel(uploadId: string, call?: CallOptions): Promise<{ readonly status: string | undefined }>;
  /** For syncs, and for the lookup after a lost response. */
  readonly files: FileStore;
  /** Closes all connections. Running calls reject with ConnectionError. */
  close(): Promise<void>;
}

export interface FileStore {
  list(query?: ListFilesQuery, call?: CallOptions): Promise<FilePage>;
  retrieve(fileId: string, call?: CallOptions): Promise<ListedFile>;
  /** @throws StrangeAnswerError if the service reported success and the File still exists */
  remove(fileId: string, call?: CallOptions): Promise<void>;
  /** The content while it arrives. The caller reads it to its end or destroys it. `timeoutMs` applies to the whole download. */
  read(fileId: string, call?: CallOptions): Promise<Readable>;
}

/** Settings of a destination of any kind, in addition to its profile. */
export interface DestinationOptions {
  /** @defaultValue nothing is delayed */
  readonly gate?: Gate | undefined;
  readonly watch?: CallWatch | undefined;
}

export type NewFile = Omit<CreateUploadInput, 'destination'>;

export interface Completion {
  /** In the order of the content. */
  readonly partIds: readonly string[];
  /** Of the whole content, lower-case hex. */
  readonly md5?: string | undefined;
  /** Facts of the File for those that the response omits, or reports as null. Times are Unix seconds. */
  readonly file: Pick<UploadedFile, 'bytes' | 'createdAt' | 'filename' | 'purpose'>;
}

export interface ListFilesQuery {
  readonly purpose?: string | undefined;
  /** ID of the last File of the previous page. */
  readonly after?: string | undefined;
  /** 1 to 10,000. @defaultValue the service's */
  readonly limit?: number | undefined;
  /** By time of creation. @defaultValue the service's: `desc` */
  readonly order?: 'asc' | 'desc' | undefined;
}

/** The windows and rates that each call to a destination must pass first. The wait is not part of the time of the call. */
export interface Gate {
  /** Resolves when the window has a place for a part. @throws AbortedError if the signal is aborted first */
  enterPart(signal?: AbortSignal): Promise<PartWatch>;
  /** Resolves when the rate permits a request to `/files`. @throws AbortedError if the signal is aborted first */
  enterRequest(signal?: AbortSignal): Promise<void>;
  /** Resolves when the bytes of a part can be sent; undefined: immediately. */
  readonly bytes: Pace;
}

/** Receives the progress of one part. */
export interface PartListener {
  /** @param totalBytes bytes of the part that the socket has accepted. 0 when it starts, and when it starts again with another key */
  readonly moved: (totalBytes: number) => void;
  /** The service accepted the part. @param waitMs time from the last byte to the response */
  readonly responded?: (waitMs: number) => void;
  /** The source was read. */
  readonly read?: (bytes: number, durationMs: number) => void;
}

export interface PartWatch extends PartListener {
  /** Called once. @param error undefined if the part was accepted */
  readonly finished: (error?: unknown) => void;
}

/** Receives the calls to one destination. */
export interface CallWatch {
  /** Runs each call that has a JSON response. */
  readonly around?: AroundCall | undefined;
  /** A session was opened. */
  readonly opened?: (() => void) | undefined;
}

/** A range of a source. */
export interface Part {
  /** Counted from 1. */
  readonly partNumber: number;
  readonly reader: SourceReader;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** The rate of its upload, in addition to that of the gate. */
  readonly pace?: Pace | undefined;
  readonly listeners?: readonly (PartListener | undefined)[] | undefined;
}
