import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { SourceNotRangedError } from '../../errors.ts';

/** Of a store that never ends its list. A page has a thousand rows, and all of them may be those of folders. */
const MAX_PAGES = 100_000;
const MAX_BARREN_PAGES = 1000;

/** From page to page of a listing, to its end. */
export class PageCourse {
  readonly #name: string;
  readonly #tokens = new Set<string>();
  #barren = 0;
  /** Whether the store said that nothing follows. */
  isComplete = true;

  /** @param name of the listing, for messages */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * The token of the next page; undefined after the last one.
   *
   * @param hasBrought whether the page had a row that was new
   * @throws SourceNotRangedError when the list does not come to an end
   */
  next(
    {
      IsTruncated,
      NextContinuationToken: token,
    }: Pick<ListObjectsV2CommandOutput, 'IsTruncated' | 'NextContinuationToken'>,
    hasBrought: boolean,
  ): string | undefined {
    if (IsTruncated !== true) {
      this.isComplete = IsTruncated === false && !token;
      return undefined;
    }
    if (!token) throw this.#broken('breaks its list off and does not tell how it goes on');
    if (this.#tokens.has(token)) throw this.#broken('repeats a page of its list');
    this.#tokens.add(token);
    this.#barren = hasBrought ? 0 : this.#barren + 1;
    if (this.#barren >= MAX_BARREN_PAGES || this.#tokens.size >= MAX_PAGES) throw this.#broken('does not end its list');
    return token;
  }

  #broken(what: string): SourceNotRangedError {
    return new SourceNotRangedError(`${this.#name}: the store ${what}. Check the endpoint of the S3 connection.`);
  }
}
