export type UploadStatus = 'pending' | 'completed' | 'cancelled' | 'expired';

export interface PartRecord {
  readonly id: string;
  readonly sizeBytes: number;
  /** Unix seconds. */
  readonly createdAt: number;
}

/** A File: an ordered list of parts. They stay where they were received, so that a completion copies nothing. */
export interface FileRecord {
  readonly id: string;
  readonly bytes: number;
  readonly createdAt: number;
  /** Unique milliseconds, for the order of the files list. Seconds can be equal. */
  readonly orderMs: number;
  readonly expiresAt?: number;
  readonly filename: string;
  readonly purpose: string;
  readonly partIds: readonly string[];
}

/** Content of `upload.json`: all of an Upload, except for the parts of a pending one, which are files. */
export interface UploadRecord {
  readonly id: string;
  readonly bytes: number;
  readonly createdAt: number;
  readonly orderMs: number;
  readonly expiresAt: number;
  readonly filename: string;
  readonly purpose: string;
  readonly mimeType: string;
  readonly fileLifeSeconds?: number;
  readonly status: UploadStatus;
  /** Parts that were received, if the Upload is no longer pending. */
  readonly parts?: readonly PartRecord[];
  readonly file?: FileRecord;
  readonly fileDeleted?: boolean;
  /** Whether the service created the File itself, without an Upload of a client. */
  readonly isOutput?: boolean;
}

/** An Upload in the memory of the server. */
export interface LiveUpload {
  record: UploadRecord;
  /** Stored parts in the order of their arrival. */
  readonly parts: Map<string, PartRecord>;
  /** Sum of `parts`. */
  receivedBytes: number;
  /** Set during a completion or cancellation. */
  busy: boolean;
}

/** The File object of the API. */
export function toFileObject(file: FileRecord): Record<string, unknown> {
  return {
    id: file.id,
    object: 'file',
    bytes: file.bytes,
    created_at: file.createdAt,
    expires_at: file.expiresAt,
    filename: file.filename,
    purpose: file.purpose,
    status: 'processed',
  };
}

/** The Upload object of the API, with the nested File after its completion. */
export function toUploadObject(upload: UploadRecord): Record<string, unknown> {
  return {
    id: upload.id,
    object: 'upload',
    bytes: upload.bytes,
    created_at: upload.createdAt,
    filename: upload.filename,
    purpose: upload.purpose,
    status: upload.status,
    expires_at: upload.expiresAt,
    file: upload.file === undefined ? undefined : toFileObject(upload.file),
  };
}
