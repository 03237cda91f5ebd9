import { randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DIRECTORY_MODE, FILE_MODE, writeFileAtomic } from './private-files.ts';
import { requirePending, sessionTimes, statusAt } from './session-rules.ts';
import { loadUploads, StorePaths } from './store-files.ts';
import type { FileRecord, LiveUpload, PartRecord, UploadRecord } from './upload-record.ts';

interface NewUpload {
  readonly bytes: number;
  readonly filename: string;
  readonly purpose: string;
  readonly mimeType: string;
  readonly fileLifeSeconds?: number;
  readonly sessionLifeSeconds: number;
}

/** Prefixes of IDs. */
export interface IdForms {
  readonly upload: (purpose: string) => string;
  readonly part: string;
}

export const openAiIds: IdForms = { upload: () => 'upload_', part: 'part_' };

interface StoreOptions {
  readonly nowMs?: () => number;
  readonly ids?: IdForms;
}

/**
 * Uploads, parts and Files in one directory. A part is stored when its file is renamed into the folder of its Upload, after
 * the last byte. A completion or cancellation is stored when its `upload.json` is replaced. Therefore, everything with a
 * response survives a SIGKILL, and the next start removes the files of everything else.
 */
export class UploadStore {
  readonly #paths: StorePaths;
  readonly #nowMs: () => number;
  readonly #ids: IdForms;
  readonly #uploads = new Map<string, LiveUpload>();
  /** IDs of Uploads by the IDs of their Files, oldest File first. */
  readonly #files = new Map<string, string>();
  readonly #cleanups = new Set<Promise<void>>();
  #lastOrderMs = 0;

  private constructor(paths: StorePaths, { nowMs = Date.now, ids = openAiIds }: StoreOptions) {
    this.#paths = paths;
    this.#nowMs = nowMs;
    this.#ids = ids;
  }

  /** Reads the state of an earlier server from `dataDir`. */
  static async open(dataDir: string, options: StoreOptions = {}): Promise<UploadStore> {
    const store = new UploadStore(new StorePaths(dataDir), options);
    const uploads = await loadUploads(store.#paths);
    for (const upload of uploads) {
      store.#uploads.set(upload.record.id, upload);
      store.#lastOrderMs = Math.max(store.#lastOrderMs, upload.record.orderMs, upload.record.file?.orderMs ?? 0);
    }
    const files = uploads.filter(({ record }) => record.file !== undefined && record.fileDeleted !== true);
    files.sort((one, other) => (one.record.file?.orderMs ?? 0) - (other.record.file?.orderMs ?? 0));
    for (const { record } of files) if (record.file !== undefined) store.#files.set(record.file.id, record.id);
    return store;
  }

  async create(input: NewUpload): Promise<UploadRecord> {
    const { sessionLifeSeconds, ...rest } = input;
    const { createdAt, expiresAt } = sessionTimes(this.#nowMs(), sessionLifeSeconds);
    const record: UploadRecord = {
      id: newId(this.#ids.upload(input.purpose)),
      ...rest,
      createdAt,
      orderMs: this.#nextOrderMs(),
      expiresAt,
      status: 'pending',
    };
    await mkdir(this.#paths.parts(record.id), { recursive: true, mode: DIRECTORY_MODE });
    await this.#write(record);
    this.#uploads.set(record.id, { record, parts: new Map(), receivedBytes: 0, busy: false });
    return record;
  }

  /** The current Upload. A pending one after its `expires_at` is `expired`. */
  get(uploadId: string): LiveUpload | undefined {
    const upload = this.#uploads.get(uploadId);
    if (upload !== undefined) this.#expireWhenDue(upload);
    return upload;
  }

  /** The Upload, which must be open. @throws ApiProblem as `requirePending` */
  pending(uploadId: string): LiveUpload {
    return requirePending(uploadId, this.get(uploadId), this.#nowMs());
  }

  /** The Uploads of clients, oldest first. */
  *all(): IterableIterator<LiveUpload> {
    for (const upload of this.#uploads.values()) {
      if (upload.record.isOutput === true) continue;
      this.#expireWhenDue(upload);
      yield upload;
    }
  }

  /** Path of a part while it is received. */
  newIncomingPath(): string {
    return join(this.#paths.incoming, randomUUID());
  }

  /**
   * Stores a file that is complete. Synchronous, so that the Upload cannot change between the checks of the caller and
   * this call.
   */
  addPart(upload: LiveUpload, incomingPath: string, sizeBytes: number): PartRecord {
    const part: PartRecord = { id: newId(this.#ids.part), sizeBytes, createdAt: Math.floor(this.#nowMs() / 1000) };
    renameSync(incomingPath, this.partPath(upload.record.id, part.id));
    upload.parts.set(part.id, part);
    upload.receivedBytes += sizeBytes;
    return part;
  }

  partPath(uploadId: string, partId: string): string {
    return join(this.#paths.parts(uploadId), partId);
  }

  /** Creates the File of the parts in this order, and removes the other parts. The caller has set `busy`. */
  async complete(upload: LiveUpload, partIds: readonly string[]): Promise<UploadRecord> {
    const { record } = upload;
    const createdAt = Math.floor(this.#nowMs() / 1000);
    const file: FileRecord = {
      id: newId('file-'),
      bytes: record.bytes,
      createdAt,
      orderMs: this.#nextOrderMs(),
      expiresAt: record.fileLifeSeconds === undefined ? undefined : createdAt + record.fileLifeSeconds,
      filename: record.filename,
      purpose: record.purpose,
      partIds,
    };
    await this.#replace(upload, { ...record, status: 'completed', parts: [...upload.parts.values()], file });
    this.#files.set(file.id, record.id);
    const used = new Set(partIds);
    for (const partId of upload.parts.keys()) {
      if (!used.has(partId)) this.#cleanUp(rm(this.partPath(record.id, partId), { force: true }));
    }
    return upload.record;
  }

  /** Ends the Upload without a File, and removes its parts. The caller has set `busy`. */
  async end(upload: LiveUpload, status: 'cancelled' | 'expired'): Promise<UploadRecord> {
    await this.#replace(upload, { ...upload.record, status, parts: [...upload.parts.values()] });
    this.#cleanUp(this.#removeParts(upload.record.id));
    return upload.record;
  }

  /** Stores a File that the service creates, such as the output of a batch. Its Upload is in no list. */
  async addOutput(output: { filename: string; content: string; lifeSeconds?: number }): Promise<FileRecord> {
    const { filename, content, lifeSeconds } = output;
    const id = newId('upload_');
    const incoming = this.newIncomingPath();
    await writeFile(incoming, content, { mode: FILE_MODE });
    await mkdir(this.#paths.parts(id), { recursive: true, mode: DIRECTORY_MODE });
    const createdAt = Math.floor(this.#nowMs() / 1000);
    const bytes = Buffer.byteLength(content);
    const part: PartRecord = { id: newId('part_'), sizeBytes: bytes, createdAt };
    renameSync(incoming, this.partPath(id, part.id));
    const orderMs = this.#nextOrderMs();
    const expiresAt = lifeSeconds === undefined ? undefined : createdAt + lifeSeconds;
    const shared = { bytes, createdAt, orderMs, filename, purpose: 'batch_output' };
    const file: FileRecord = { id: newId('file-'), ...shared, expiresAt, partIds: [part.id] };
    const record: UploadRecord = {
      id,
      ...shared,
      mimeType: 'application/jsonl',
      expiresAt: createdAt,
      status: 'completed',
      isOutput: true,
      parts: [part],
      file,
    };
    await this.#write(record);
    this.#uploads.set(id, { record, parts: new Map([[part.id, part]]), receivedBytes: bytes, busy: false });
    this.#files.set(file.id, id);
    return file;
  }

  /** The File with its Upload, unless it was deleted or has expired. */
  getFile(fileId: string): { upload: LiveUpload; file: FileRecord } | undefined {
    const upload = this.#uploads.get(this.#files.get(fileId) ?? '');
    const file = upload?.record.file;
    if (upload === undefined || file === undefined) return undefined;
    // `expires_after` of the create call is the lifetime of the File, not of the Upload.
    if (file.expiresAt !== undefined && this.#nowMs() >= file.expiresAt * 1000) {
      this.#cleanUp(this.deleteFile(fileId));
      return undefined;
    }
    return { upload, file };
  }

  /** Oldest first. */
  files(): FileRecord[] {
    const found = [...this.#files.keys()].map((fileId) => this.getFile(fileId)?.file);
    return found.filter((file) => file !== undefined);
  }

  async deleteFile(fileId: string): Promise<void> {
    const upload = this.#uploads.get(this.#files.get(fileId) ?? '');
    if (upload === undefined) return;
    this.#files.delete(fileId);
    await this.#replace(upload, { ...upload.record, fileDeleted: true });
    await this.#removeParts(upload.record.id);
  }

  /** Removes expired Uploads and Files from the disk. */
  sweep(): void {
    for (const upload of this.#uploads.values()) this.#expireWhenDue(upload);
    this.files();
  }

  /** Waits for removals in the background. */
  async settle(): Promise<void> {
    while (this.#cleanups.size > 0) await Promise.all(this.#cleanups);
  }

  #expireWhenDue(upload: LiveUpload): void {
    const { record } = upload;
    if (record.status !== 'pending' || statusAt(upload, this.#nowMs()) === 'pending') return;
    upload.record = { ...record, status: 'expired' };
    this.#cleanUp(this.end(upload, 'expired').then(() => undefined));
  }

  async #replace(upload: LiveUpload, next: UploadRecord): Promise<void> {
    await this.#write(next);
    upload.record = next;
  }

  async #write(record: UploadRecord): Promise<void> {
    await writeFileAtomic(this.#paths.record(record.id), JSON.stringify(record));
  }

  async #removeParts(uploadId: string): Promise<void> {
    await rm(this.#paths.parts(uploadId), { recursive: true, force: true });
  }

  /** The next start repeats what fails here. */
  #cleanUp(work: Promise<void>): void {
    const done = work.catch(() => undefined).finally(() => this.#cleanups.delete(done));
    this.#cleanups.add(done);
  }

  #nextOrderMs(): number {
    this.#lastOrderMs = Math.max(this.#lastOrderMs + 1, this.#nowMs());
    return this.#lastOrderMs;
  }
}

function newId(prefix: string): string {
  return prefix + randomUUID().replaceAll('-', '');
}
