import { createHash } from 'node:crypto';
import { ApiError } from '../../src/errors.ts';
import type { ListedFile, UploadedFile, UploadSession } from '../../src/contracts/upload.ts';
import { ApiProblem } from '../../src/local-api/errors.ts';
import {
  partTooLarge,
  requireParts,
  requirePending,
  roomOf,
  sessionTimes,
  statusAt,
  tooManyBytes,
  wrongMd5,
  type SessionState,
} from '../../src/local-api/session-rules.ts';
import type { UploadStatus } from '../../src/local-api/upload-record.ts';
import { ListLag } from '../../src/local-api/list-lag.ts';
import type { VirtualClock } from './clock.ts';

/** How servers differ ("A part after completion returns 400, 404 or 409 …"). */
export interface ServiceStyle {
  /** Counts all bytes that were received, those of a part that was sent twice too. */
  readonly isStrict: boolean;
  /** Of a call for a session that has ended. */
  readonly endedStatus: 400 | 404 | 409 | 410;
  readonly checksMd5: boolean;
  /** Time until a new File appears in the list. */
  readonly listLagMs: number;
  /** Lists in which a new File is missing. @defaultValue 0 */
  readonly listLagRequests?: number;
  /** Larger parts are rejected with 413. 0: none */
  readonly maxPartBytes: number;
  readonly sessionSeconds: number;
}

export interface ReceivedPart {
  readonly id: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Of the source, when the bytes were read; `damaged` if they changed on their way. */
  readonly content: string;
}

interface NewSession {
  readonly bytes: number;
  readonly filename: string;
  readonly purpose: string;
}

/** An Upload, as the rules of the local API have it. */
export class Session implements SessionState {
  record: SessionState['record'];
  readonly filename: string;
  readonly purpose: string;
  readonly createdAtMs: number;
  readonly busy = false;
  readonly parts = new Map<string, ReceivedPart>();
  receivedBytes = 0;

  constructor({
    record,
    filename,
    purpose,
    createdAtMs,
  }: Pick<Session, 'record' | 'filename' | 'purpose' | 'createdAtMs'>) {
    this.record = record;
    this.filename = filename;
    this.purpose = purpose;
    this.createdAtMs = createdAtMs;
  }

  get id(): string {
    return this.record.id;
  }

  end(status: UploadStatus): void {
    this.record = { ...this.record, status };
  }
}

export interface StoredFile extends UploadedFile {
  readonly sessionId: string;
  readonly parts: readonly ReceivedPart[];
  /** What the service returns as its content. */
  readonly text: string;
  readonly createdAtMs: number;
}

export interface Completion {
  readonly partIds: readonly string[];
  readonly md5?: string | undefined;
}

type Algorithm = 'md5' | 'sha256';

/** What a service has of one upload. */
export type ServiceView = Pick<Service, 'style' | 'sessions' | 'files' | 'statusOf'>;

/** A model of the Uploads API: sessions, parts and Files, without bytes. */
export class Service {
  readonly style: ServiceStyle;
  readonly sessions = new Map<string, Session>();
  readonly files = new Map<string, StoredFile>();
  readonly deleted: StoredFile[] = [];
  readonly #clock: VirtualClock;
  readonly #lag = new ListLag();
  #ids = 0;

  constructor(clock: VirtualClock, style: ServiceStyle) {
    this.#clock = clock;
    this.style = style;
  }

  create({ bytes, filename, purpose }: NewSession): UploadSession {
    const id = `upload_${++this.#ids}`;
    const { createdAt, expiresAt } = sessionTimes(this.#clock.nowMs, this.style.sessionSeconds);
    const createdAtMs = this.#clock.nowMs;
    const record = { id, bytes, expiresAt, status: 'pending' as const };
    this.sessions.set(id, new Session({ record, filename, purpose, createdAtMs }));
    return { uploadId: id, createdAt, expiresAt };
  }

  addPart(uploadId: string, part: Omit<ReceivedPart, 'id'>): { partId: string } {
    const session = this.#open(uploadId, 'adding a part to');
    const { maxPartBytes, isStrict } = this.style;
    if (maxPartBytes > 0 && part.sizeBytes > maxPartBytes) throw rejectedBy(partTooLarge(maxPartBytes));
    if (part.sizeBytes > roomOf(session, isStrict)) throw rejectedBy(tooManyBytes(session));
    const id = `part_${++this.#ids}`;
    session.receivedBytes += part.sizeBytes;
    session.parts.set(id, { id, ...part });
    return { partId: id };
  }

  complete(uploadId: string, { partIds, md5 }: Completion): UploadedFile {
    const session = this.#open(uploadId, 'completing');
    byTheRules(() => requireParts(session, partIds));
    const { bytes } = session.record;
    const known = partIds.map((id) => session.parts.get(id) as ReceivedPart);
    const text = contentOf(known);
    const digest = digestOf(text);
    if (this.style.checksMd5 && md5 !== undefined && md5 !== digest) throw rejectedBy(wrongMd5(digest, md5));
    session.end('completed');
    const createdAt = Math.floor(this.#clock.nowMs / 1000);
    const { filename, purpose } = session;
    const file = { id: `file-${++this.#ids}`, bytes, createdAt, filename, purpose, status: 'processed' };
    const { listLagMs, listLagRequests = 0 } = this.style;
    this.#lag.added(file.id, { listLagMs, listLagRequests }, this.#clock.nowMs);
    this.files.set(file.id, {
      ...file,
      sessionId: uploadId,
      parts: known,
      text,
      createdAtMs: this.#clock.nowMs,
    });
    return file;
  }

  cancel(uploadId: string): { status: string } {
    this.#open(uploadId, 'cancelling').end('cancelled');
    return { status: 'cancelled' };
  }

  /** Newest first. */
  list(purpose: string | undefined): ListedFile[] {
    return this.#lag
      .list([...this.files.values()], this.#clock.nowMs)
      .filter((file) => file.purpose === (purpose ?? file.purpose))
      .map(({ id, bytes, createdAt, filename, purpose: own }) => ({ id, bytes, createdAt, filename, purpose: own }))
      .toReversed();
  }

  retrieve(fileId: string): ListedFile {
    const file = this.files.get(fileId);
    if (!file) throw rejected(404, 'no such File');
    const { id, bytes, createdAt, filename, purpose } = file;
    return { id, bytes, createdAt, filename, purpose };
  }

  delete(fileId: string): void {
    const file = this.files.get(fileId);
    if (!file) throw rejected(404, 'no such File');
    this.files.delete(fileId);
    this.deleted.push(file);
  }

  /** The sessions and Files of one name, from a time. */
  of(filename: string, sinceMs = 0): ServiceView {
    const named = <T extends { readonly filename: string; readonly createdAtMs: number }>(
      all: ReadonlyMap<string, T>,
    ) => new Map([...all].filter(([, one]) => one.filename === filename && one.createdAtMs >= sinceMs));
    const { style, sessions, files } = this;
    return {
      style,
      statusOf: (session) => this.statusOf(session),
      get sessions() {
        return named(sessions);
      },
      get files() {
        return named(files);
      },
    };
  }

  /** By another client, or because the service lost it. */
  end(uploadId: string, status: 'cancelled' | 'expired'): void {
    const session = this.sessions.get(uploadId);
    if (session?.record.status === 'pending') session.end(status);
  }

  /** The status by the service's clock. */
  statusOf(session: Session): UploadStatus {
    return statusAt(session, this.#clock.nowMs);
  }

  /** Servers differ in the status with which they reject a call for a session that has ended. */
  #open(uploadId: string, action: string): Session {
    const session = this.sessions.get(uploadId);
    try {
      return requirePending(uploadId, session, this.#clock.nowMs);
    } catch (error) {
      if (!session) throw rejected(404, `no such Upload, while ${action} ${uploadId}`);
      const isHidden = this.style.endedStatus === 404;
      const message = isHidden ? 'no such Upload' : (error as ApiProblem).message;
      throw rejected(this.style.endedStatus, `${message}, while ${action} ${uploadId}`);
    }
  }
}

function byTheRules<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof ApiProblem ? rejectedBy(error) : error;
  }
}

function rejectedBy({ status, message }: ApiProblem): ApiError {
  return rejected(status, message);
}

export function rejected(status: number, message: string, retryAfterMs?: number, apiCode?: string): ApiError {
  return new ApiError(`the service returned ${status}: ${message}`, { status, retryAfterMs, apiCode });
}

/** Of a source in one piece. */
export function digestOfSource(content: string, sizeBytes: number, algorithm?: Algorithm): string {
  return digestOf(contentOf([{ id: '', offsetBytes: 0, sizeBytes, content }]), algorithm);
}

/** The same for the same bytes: neighbouring ranges of one content are one range. */
function contentOf(parts: readonly ReceivedPart[]): string {
  const ranges: { offsetBytes: number; sizeBytes: number; content: string }[] = [];
  for (const { offsetBytes, sizeBytes, content } of parts) {
    const last = ranges.at(-1);
    const follows = last?.content === content && last.offsetBytes + last.sizeBytes === offsetBytes;
    if (last && follows) last.sizeBytes += sizeBytes;
    else ranges.push({ offsetBytes, sizeBytes, content });
  }
  return ranges.map((range) => `${range.content}@${range.offsetBytes}+${range.sizeBytes}`).join();
}

function digestOf(text: string, algorithm: Algorithm = 'md5'): string {
  return createHash(algorithm).update(text).digest('hex');
}
