import type { UploadedFile } from '../src/contracts/upload.ts';
import { ApiError, StrangeAnswerError } from '../src/errors.ts';
import type { CallOptions } from '../src/openai/call-limits.ts';
import type { UploadsClient } from '../src/openai/uploads-client.ts';

/** "limit: between 1 and 10,000" (the API's specification). */
const PAGE_SIZE = 10_000;

/** A File that is deleted while its id marks the place between two pages. */
const FRESH_STARTS = 3;

/**
 * Files of one purpose that are good for something, newest first.
 *
 * @param prefix of their names
 * @throws StrangeAnswerError when the pages lead round in a circle
 */
export async function listDestination(
  client: UploadsClient,
  { purpose, prefix }: { readonly purpose: string; readonly prefix: string },
  options: CallOptions,
): Promise<UploadedFile[]> {
  for (let start = 1; ; start++) {
    try {
      const files = await listPages(client, purpose, options);
      const nowSeconds = Date.now() / 1000;
      return files.filter(
        (file) =>
          // A server may leave the filter out of account.
          file.purpose === purpose &&
          file.filename.startsWith(prefix) &&
          file.status !== 'error' &&
          (file.expiresAt === undefined || file.expiresAt > nowSeconds),
      );
    } catch (error) {
      if (!(error instanceof LostPlace) || start === FRESH_STARTS)
        throw error instanceof LostPlace ? error.cause : error;
    }
  }
}

class LostPlace extends Error {}

async function listPages(client: UploadsClient, purpose: string, options: CallOptions): Promise<UploadedFile[]> {
  const files: UploadedFile[] = [];
  const places = new Set<string>();
  let after: string | undefined;
  for (;;) {
    const query = { purpose, order: 'desc', limit: PAGE_SIZE, ...(after ? { after } : {}) } as const;
    const page = await client.listFiles(query, options).catch((error: unknown) => {
      const isLost = after !== undefined && error instanceof ApiError && [400, 404].includes(error.details.status);
      throw isLost ? new LostPlace('the place in the list is lost', { cause: error }) : error;
    });
    files.push(...page.files);
    if (!page.hasMore || page.nextAfter === undefined) return files;
    if (places.has(page.nextAfter)) throw new StrangeAnswerError('the files list gives the same page again and again');
    places.add(page.nextAfter);
    after = page.nextAfter;
  }
}
