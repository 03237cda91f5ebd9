import { createHash } from 'node:crypto';
import { ApiError } from '../../src/errors.ts';
import type { ListedFile, UploadedFile, UploadSession } from '../../src/contracts/upload.ts';
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

export interface Session {
  readonly id: string;
  readonly bytes: number;
  readonly filename: string;
  readonly purpose: string;
  readonly createdAtMs: number;
  readonly endsAtMs: number;
  status: 'pending' | 'completed' | 'cancelled' | 'expired';
  receivedBytes: number;
  readonly parts: Map<string, ReceivedPart>;
}

export interface StoredFile extends UploadedFile {
  readonly sessionId: string;
  readonly parts: readonly ReceivedPart[];
  /** What the service returns as its content. */
  readonly text: string;
  readonly createdAtMs: number;
  readonly visibleFromMs: number;
}

export interface Completion {
  readonly partIds: readonly string[];
  readonly md5?: string | undefined;
}

/** What a service has of one upload. */
export type ServiceView = Pick<Service, 'style' | 'sessions' | 'files' | 'statusOf'>;

/** A model of the Uploads API: sessions, parts and Files, without bytes. */
export class Service {
  readonly style: ServiceStyle;
  readonly sessions = new Map<string, Session>();
  readonly files = new Map<string, StoredFile>();
  readonly deleted: StoredFile[] = [];
  readonly #clock: VirtualClock;
  #ids = 0;

  constructor(clock: VirtualClock, style: ServiceStyle) {
    this.#clock = clock;
    this.style = style;
  }

  create({ bytes, filename, purpose }: Pick<Session, 'bytes' | 'filename' | 'purpose'>): UploadSession {
    const id = `upload_${++this.#ids}`;
    // Times of the service are whole seconds.
    const createdAt = Math.floor(this.#clock.nowMs / 1000);
    const expiresAt = createdAt + this.style.sessionSeconds;
    this.sessions.set(id, {
      id,
      bytes,
      filename,
      purpose,
      createdAtMs: this.#clock.nowMs,
      endsAtMs: expiresAt * 1000,
      status: 'pending',
      receivedBytes: 0,
      parts: new Map(),
    });
    return { uploadId: id, createdAt, expiresAt };
  }

  addPart(uploadId: string, part: Omit<ReceivedPart, 'id'>): { partId: string } {
    const session = this.#open(uploadId, 'adding a part to');
    const { maxPartBytes, isStrict } = this.style;
    if (maxPartBytes > 0 && part.sizeBytes > maxPartBytes) throw rejected(413, 'the part is too large');
    if (isStrict && session.receivedBytes + part.sizeBytes > session.bytes) {
      throw rejected(400, 'more bytes were received than the Upload has');
    }
    const id = `part_${++this.#ids}`;
    session.receivedBytes += part.sizeBytes;
    session.parts.set(id, { id, ...part });
    return { partId: id };
  }

  complete(uploadId: string, { partIds, md5 }: Completion): UploadedFile {
    const session = this.#open(uploadId, 'completing');
    const parts = partIds.map((id) => session.parts.get(id));
    if (parts.includes(undefined)) throw rejected(400, 'a part is not of this Upload');
    const known = parts as ReceivedPart[];
    const bytes = known.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (bytes !== session.bytes) throw rejected(400, 'the parts do not have as many bytes as the Upload');
    const text = contentOf(known);
    if (this.style.checksMd5 && md5 !== undefined && md5 !== digestOf(text)) throw rejected(400, 'md5 does not match');
    session.status = 'completed';
    const createdAt = Math.floor(this.#clock.nowMs / 1000);
    const { filename, purpose } = session;
    const file = { id: `file-${++this.#ids}`, bytes, createdAt, filename, purpose, status: 'processed' };
    const visibleFromMs = this.#clock.nowMs + this.style.listLagMs;
    this.files.set(file.id, {
      ...file,
      sessionId: uploadId,
      parts: known,
      text,
      createdAtMs: this.#clock.nowMs,
      visibleFromMs,
    });
    return file;
  }

  cancel(uploadId: string): { status: string } {
    this.#open(uploadId, 'cancelling').status = 'cancelled';
    return { status: 'cancelled' };
  }

  /** Newest first. */
  list(purpose: string | undefined): ListedFile[] {
    return [...this.files.values()]
      .filter((file) => file.visibleFromMs <= this.#clock.nowMs && file.purpose === (purpose ?? file.purpose))
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
    if (session?.status === 'pending') session.status = status;
  }

  /** The status by the service's clock. */
  statusOf(session: Session): Session['status'] {
    if (session.status === 'pending' && this.#clock.nowMs >= session.endsAtMs) session.status = 'expired';
    return session.status;
  }

  #open(uploadId: string, action: string): Session {
    const session = this.sessions.get(uploadId);
    if (!session) throw rejected(404, `no such Upload, while ${action} ${uploadId}`);
    const status = this.statusOf(session);
    if (status === 'pending') return session;
    const message = this.style.endedStatus === 404 ? 'no such Upload' : `Upload ${uploadId} is ${status}`;
    throw rejected(this.style.endedStatus, `${message}, while ${action} ${uploadId}`);
  }
}

export function rejected(status: number, message: string, retryAfterMs?: number, apiCode?: string): ApiError {
  return new ApiError(`the service returned ${status}: ${message}`, { status, retryAfterMs, apiCode });
}

/** Of a source in one piece. */
export function digestOfSource(content: string, sizeBytes: number): string {
  return digestOf(contentOf([{ id: '', offsetBytes: 0, sizeBytes, content }]));
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

function digestOf(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
