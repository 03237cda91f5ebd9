import type { RetuneInput } from '../../contracts/names.ts';
import type { FullUploadRequest, UploadLimit } from '../../contracts/upload.ts';
import { mostPartsUnder } from '../pace/rate.ts';
import { ignoreInodeProblem } from './fingerprint.ts';

/** The settings that were changed, for the next execution. Plain JSON. */
export interface CarriedTuning {
  readonly concurrency?: number;
  readonly nextPartSizeBytes?: number;
  readonly limit?: UploadLimit;
  readonly ignoreInode?: boolean;
}

type Settings = Pick<FullUploadRequest, 'concurrency' | 'partSizeBytes' | 'limitBytesPerSecond' | 'ignoreInode'> & {
  readonly md5?: boolean;
  readonly source: { readonly type: string };
};

/** The settings of an upload that can be changed while it runs: those of the request, and the changes of them. */
export class UploadTuning {
  #request: Settings | undefined;
  #changed: CarriedTuning;

  constructor(carried?: CarriedTuning) {
    const { concurrency, nextPartSizeBytes, limit, ignoreInode } = carried ?? {};
    this.#changed = { concurrency, nextPartSizeBytes, limit, ignoreInode };
  }

  /** Uses a request that was checked. Before this, only changes are known. */
  admit(request: Settings): void {
    this.#request = request;
    const { ignoreInode } = this.#changed;
    // It was set before the request was known, and cannot be used for it.
    if (ignoreInodeProblem({ ...request, ignoreInode }) !== undefined)
      this.#changed = { ...this.#changed, ignoreInode: false };
  }

  /** Maximum number of parts that are scheduled at the same time, as requested; 0 until the request is known. */
  get concurrency(): number {
    return this.#changed.concurrency ?? this.#request?.concurrency ?? 0;
  }

  /** The same, as far as the limit can feed them. */
  get mostParts(): number {
    const bytesPerSecond = this.limit?.bytesPerSecond ?? 0;
    return bytesPerSecond === 0 ? this.concurrency : Math.min(this.concurrency, mostPartsUnder(bytesPerSecond));
  }

  /** Of the next session; undefined until the request is known. */
  get nextPartSizeBytes(): number | undefined {
    return this.#changed.nextPartSizeBytes ?? this.#request?.partSizeBytes;
  }

  get limit(): UploadLimit | null {
    const bytesPerSecond = this.#request?.limitBytesPerSecond;
    return this.#changed.limit ?? (bytesPerSecond === undefined ? null : { bytesPerSecond, revision: 0 });
  }

  /** Whether a file with another inode is accepted. */
  get ignoreInode(): boolean {
    return this.#changed.ignoreInode ?? this.#request?.ignoreInode ?? false;
  }

  retune({ concurrency, partSizeBytes, limitBytesPerSecond, ignoreInode }: RetuneInput): void {
    this.#changed = {
      concurrency: concurrency ?? this.#changed.concurrency,
      nextPartSizeBytes: partSizeBytes ?? this.#changed.nextPartSizeBytes,
      limit:
        limitBytesPerSecond === undefined
          ? this.#changed.limit
          : { bytesPerSecond: limitBytesPerSecond, revision: (this.limit?.revision ?? 0) + 1 },
      ignoreInode: ignoreInode ?? this.#changed.ignoreInode,
    };
  }

  toJSON(): CarriedTuning {
    return this.#changed;
  }
}
