import type { _Object as ListedObject } from '@aws-sdk/client-s3';
import { FailureType } from '../../contracts/failures.ts';
import { TextLimits } from '../../contracts/limits.ts';
import type { SyncProblem } from '../../contracts/sync.ts';
import { clip } from '../../core/text/clip.ts';
import { formatCount } from '../../core/text/format.ts';
import { keyProblem } from '../../core/source/name-problems.ts';
import { byPath, type ListedSource } from '../../core/sync/listed-source.ts';
import { SourceUnusableError } from '../../errors.ts';
import { archiveOfRow, describeArchive } from './errors.ts';
import type { LeftOut, Listing } from '../listing/listing.ts';
import type { PathFilter } from '../listing/path-filter.ts';
import { etagOf } from '../remote/values.ts';
import { fingerprintOfObject } from './source.ts';

/** A listing is stored in memory. A sync supports no more objects than this. */
const MAX_ROWS = 2_000_000;

/** The rows of a bucket's listing, as they arrive. */
export class BucketRows {
  readonly #name: string;
  readonly #prefix: string;
  readonly #filter: PathFilter;
  readonly #entries = new Map<string, ListedSource>();
  readonly #problems = new Map<string, SyncProblem>();
  readonly #leftOut = new Map<string, LeftOut>();
  /** Rows without a valid key. */
  #nameless = 0;
  #isWhole = true;

  /** @param name of the listing, for messages */
  constructor(name: string, prefix: string, filter: PathFilter) {
    this.#name = name;
    this.#prefix = prefix;
    this.#filter = filter;
  }

  /** Rows so far, with each path once. */
  get count(): number {
    return this.#entries.size + this.#problems.size + this.#leftOut.size + this.#nameless;
  }

  /** @throws SourceUnusableError if there are too many */
  add(object: ListedObject): void {
    const { Key: key, Size: size } = object;
    if (!isUsable(key) || !key.startsWith(this.#prefix)) {
      this.#nameless++;
      this.#isWhole = false;
      return;
    }
    const path = key.slice(this.#prefix.length);
    const isFolder = path === '' || path.endsWith('/');
    // Without content, a console created it to show a folder.
    if ((isFolder && !(size !== undefined && size > 0)) || !this.#filter.takes(path)) return;
    if (this.count >= MAX_ROWS) {
      throw new SourceUnusableError(
        `cannot sync ${this.#name}: it has more than ${MAX_ROWS} objects. Sync the prefixes below it one by one.`,
      );
    }
    const wrong = keyProblem('key', path);
    if (wrong !== undefined) {
      this.#note(this.#problems, path, wrong);
      return;
    }
    const etag = etagOf(object.ETag);
    const archive = archiveOfRow(object);
    if (size === undefined || !Number.isSafeInteger(size) || size < 0 || etag === undefined) {
      this.#isWhole = false;
      this.#note(this.#problems, path, 'has no valid size or ETag in the list of the store. Check the store');
    } else if (isFolder)
      this.#note(this.#leftOut, path || './', 'has content and a key that ends in "/". Copy it to another key');
    else if (size === 0) {
      const failureType = FailureType.SourceUnusable;
      this.#leftOut.set(path, { path, failureType, message: 'is empty', isEmpty: true });
    } else if (archive !== undefined) {
      this.#note(this.#leftOut, path, describeArchive(archive), FailureType.SourceArchived);
    } else this.#entries.set(path, toEntry(path, size, etag, object.LastModified));
  }

  /** @param isComplete whether all pages were received */
  listing(isComplete: boolean): Listing {
    const problems = [...this.#problems.values()].toSorted(byPath);
    if (this.#nameless > 0) {
      const message = `cannot read ${formatCount(this.#nameless, 'row')} of the store's list: the key is missing or invalid`;
      problems.unshift({ path: clip(this.#name, 256), failureType: FailureType.SourceUnusable, message });
    }
    return {
      entries: [...this.#entries.values()].toSorted(byPath),
      problems,
      leftOut: [...this.#leftOut.values()].toSorted(byPath),
      unseen: [],
      isComplete: isComplete && this.#isWhole,
    };
  }

  #note(
    problems: Map<string, SyncProblem>,
    path: string,
    message: string,
    failureType: FailureType = FailureType.SourceUnusable,
  ): void {
    problems.set(path, { path, failureType, message });
  }
}

/** S3's keys have 1 to 1,024 bytes. A segment `..` would change the path of a URL. */
function isUsable(key: string | undefined): key is string {
  if (key === undefined || key === '' || Buffer.byteLength(key) > TextLimits.objectKey) return false;
  return !/\p{Surrogate}/u.test(key) && !key.split('/').includes('..');
}

function toEntry(path: string, sizeBytes: number, etag: string, changedAt: Date | undefined): ListedSource {
  const nowMs = Date.now();
  const changedMs = changedAt?.getTime() ?? nowMs;
  return {
    path,
    sizeBytes,
    // For an invalid time or a time in the future, the current time is used, so that the object can be newer than its File.
    mtimeMs: changedMs >= 0 && changedMs <= nowMs ? changedMs : nowMs,
    fingerprint: fingerprintOfObject(sizeBytes, etag),
    version: etag.replaceAll('"', ''),
  };
}
