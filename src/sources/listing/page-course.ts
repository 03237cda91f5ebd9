import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { SourceNotRangedError } from '../../errors.ts';

/** Limits for a store whose list never ends. A page has 1,000 rows, and all can be those of folders. */
const MAX_PAGES = 100_000;
const MAX_BARREN_PAGES = 1000;

/** Follows the pages of a listing to its end. */
export class PageCourse {
  readonly #name: string;
  readonly #tokens = new Set<string>();
  #barren = 0;
  /** Whether the store returned the last page. */
  isComplete = true;

  /** @param name of the listing, for messages */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Returns the token of the next page; undefined after the last page.
   *
   * @param hasBrought whether the page had a new row
   * @throws SourceNotRangedError if the list does not end
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
    if (!token) throw this.#broken('returned an incomplete list without a continuation token');
    if (this.#tokens.has(token)) throw this.#broken('repeated a page of its list');
    this.#tokens.add(token);
    this.#barren = hasBrought ? 0 : this.#barren + 1;
    if (this.#barren >= MAX_BARREN_PAGES || this.#tokens.size >= MAX_PAGES)
      throw this.#broken('returned a list without an end');
    return token;
  }

  #broken(what: string): SourceNotRangedError {
    return new SourceNotRangedError(
      `cannot list ${this.#name}: the store ${what}. Check the endpoint of the S3 connection.`,
    );
  }
}
