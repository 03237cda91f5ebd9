import { Defaults } from '../../contracts/limits.ts';
import type { RetuneInput } from '../../contracts/names.ts';
import type { UploadLimit, UploadRequest } from '../../contracts/upload.ts';
import { mostPartsUnder } from '../pace/rate-limit.ts';

/** What an execution hands to its successor of it. Plain JSON. */
export interface CarriedTuning {
  readonly concurrency: number;
  readonly nextPartSizeBytes: number | null;
  readonly limit?: UploadLimit | null;
  readonly ignoreInode?: boolean;
}

/** What of an upload may be changed while it runs. */
export class UploadTuning {
  #concurrency: number;
  #nextPartSizeBytes: number | null;
  #limit: UploadLimit | null;
  #ignoreInode: boolean;

  constructor(request: UploadRequest, carried?: CarriedTuning) {
    const { concurrency, partSizeBytes, limitBytesPerSecond: bytesPerSecond } = request;
    this.#concurrency = carried?.concurrency ?? concurrency ?? Defaults.concurrency;
    this.#nextPartSizeBytes = carried?.nextPartSizeBytes ?? partSizeBytes ?? null;
    this.#ignoreInode = carried?.ignoreInode ?? request.ignoreInode ?? false;
    this.#limit = carried?.limit ?? (bytesPerSecond === undefined ? null : { bytesPerSecond, revision: 0 });
  }

  /** Most parts scheduled at a time, as it was asked for. */
  get concurrency(): number {
    return this.#concurrency;
  }

  /** The same, as far as the limit can feed them. */
  get mostParts(): number {
    const bytesPerSecond = this.#limit?.bytesPerSecond ?? 0;
    return bytesPerSecond === 0 ? this.#concurrency : Math.min(this.#concurrency, mostPartsUnder(bytesPerSecond));
  }

  /** Of the next session; undefined: by the file's size. */
  get nextPartSizeBytes(): number | undefined {
    return this.#nextPartSizeBytes ?? undefined;
  }

  get limit(): UploadLimit | null {
    return this.#limit;
  }

  /** Whether a file with another inode is accepted. */
  get ignoreInode(): boolean {
    return this.#ignoreInode;
  }

  retune({ concurrency, partSizeBytes, limitBytesPerSecond, ignoreInode }: RetuneInput): void {
    this.#ignoreInode = ignoreInode ?? this.#ignoreInode;
    this.#concurrency = concurrency ?? this.#concurrency;
    this.#nextPartSizeBytes = partSizeBytes ?? this.#nextPartSizeBytes;
    if (limitBytesPerSecond === undefined) return;
    this.#limit = { bytesPerSecond: limitBytesPerSecond, revision: (this.#limit?.revision ?? 0) + 1 };
  }

  toJSON(): CarriedTuning {
    return {
      concurrency: this.#concurrency,
      nextPartSizeBytes: this.#nextPartSizeBytes,
      limit: this.#limit,
      ignoreInode: this.#ignoreInode ? true : undefined,
    };
  }
}

/** Only a file has an inode, and only the MD5 shows whether a file with another inode is the same. */
export function ignoreInodeProblem(request: {
  readonly ignoreInode?: boolean;
  readonly md5?: boolean;
  readonly source: { readonly type: string };
}): string | undefined {
  const { ignoreInode, md5, source } = request;
  if (ignoreInode !== true) return undefined;
  if (source.type === 's3' || source.type === 'http') return '"ignoreInode" is for files; remove it';
  return md5 === false ? '"ignoreInode" needs the MD5, which detects other content; remove "md5": false' : undefined;
}

/** Each piece is consistent, but nothing shows that two pieces are of one content. */
export const SPLIT_IGNORES_NO_INODE =
  '"ignoreInode" cannot be used for a split upload, whose pieces have no common MD5; remove it';
