import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { CompleteUploadInput } from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import type { ListedFile, UploadedFile } from '../../src/contracts/upload.ts';
import { isSameName } from '../../src/core/text/name-form.ts';
import { ApiError, StrangeAnswerError } from '../../src/errors.ts';
import type { Destination } from '../../src/destinations/port.ts';
import { filePages } from '../file-pages.ts';
import type { Attempt } from '../attempt.ts';
import { isEnded } from './words.ts';

/** Delays between searches, because the list can show a new File late. After them, an operator must decide. */
const LOOKS = 5;
const LOOK_PAUSE_MS = 1000;
const PAGE_SIZE = 1000;

export type CompletedUpload = Pick<
  CompleteUploadInput,
  'uploadId' | 'uploadCreatedAt' | 'md5' | 'filename' | 'purpose' | 'bytes'
>;

type Verdict = 'ours' | 'of-another' | 'unknown';

/**
 * Searches the File of an Upload whose completion had no response. A File with the same name, size and purpose can be that
 * of another upload. Therefore compares its content, if the MD5 is available and the service returns the content.
 *
 * @returns undefined if the list does not contain it
 * @throws ApplicationFailure `CompletionUncertain` if several Files match
 */
export async function findCompletedFile(
  client: Destination,
  input: CompletedUpload,
  { signal, attempt, timeoutMs }: Pick<Attempt<never>, 'signal' | 'attempt' | 'timeoutMs'>,
): Promise<UploadedFile | undefined> {
  const verdicts = new Map<string, Verdict>();
  for (let look = 1; look <= LOOKS; look++) {
    const found = await candidates(client, input, signal);
    for (const { id } of found) {
      if (!verdicts.has(id)) verdicts.set(id, await compare(client, id, input.md5, { signal, timeoutMs }));
    }
    const ours = found.filter(({ id }) => verdicts.get(id) === 'ours');
    const possible = ours.length > 0 ? ours : found.filter(({ id }) => verdicts.get(id) === 'unknown');
    if (possible.length > 1) throw ambiguous(input, possible, attempt);
    if (possible[0]) return { ...possible[0], bytes: possible[0].bytes ?? input.bytes };
    if (look < LOOKS) await setTimeout(LOOK_PAUSE_MS, undefined, { signal });
  }
  return undefined;
}

function ambiguous({ uploadId }: CompletedUpload, files: readonly ListedFile[], attempt: number): ApplicationFailure {
  const message =
    `cannot identify the File of ${uploadId}: the completion response was lost, and ${files.length} Files match its name, ` +
    `size and purpose (${files.map((file) => file.id).join(', ')}). Compare them and delete the duplicate.`;
  return ApplicationFailure.nonRetryable(message, FailureType.CompletionUncertain, { attempt });
}

/** Lists Files down to the creation time of the Upload, if the service respects the order: its File cannot be older. */
async function candidates(
  client: Destination,
  { uploadId, purpose, filename, bytes, uploadCreatedAt }: CompletedUpload,
  signal: AbortSignal,
): Promise<ListedFile[]> {
  const found: ListedFile[] = [];
  try {
    for await (const { files } of filePages(client, { purpose, limit: PAGE_SIZE }, { signal })) {
      const recent = files.filter((file) => file.createdAt >= uploadCreatedAt);
      // The size of a new File can be unknown for some time.
      const isOurs = (file: ListedFile) => isSameName(file.filename, filename) && (file.bytes ?? bytes) === bytes;
      found.push(...recent.filter((file) => isOurs(file) && file.status !== 'error'));
      if (recent.length < files.length && isNewestFirst(files)) return found;
    }
  } catch (error) {
    // A rejected list is not the rejection of the Upload: its session can be open.
    if (isEnded(error))
      throw new StrangeAnswerError(`cannot look up the File of ${uploadId}: ${error.message}`, { cause: error });
    // A list that cannot be read completely is sufficient if it contains the File.
    if (!(error instanceof StrangeAnswerError) || found.length === 0) throw error;
  }
  return found;
}

function isNewestFirst(files: readonly ListedFile[]): boolean {
  return files.every((file, index) => index === 0 || file.createdAt <= (files[index - 1] as ListedFile).createdAt);
}

/** A service can deny access to the content of some purposes, or of all. Then the MD5 is unknown. */
async function compare(
  client: Destination,
  fileId: string,
  md5: string | undefined,
  limits: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Verdict> {
  if (md5 === undefined) return 'unknown';
  try {
    const digest = createHash('md5');
    for await (const chunk of await client.files.read(fileId, limits)) digest.update(chunk as Buffer);
    return digest.digest('hex') === md5 ? 'ours' : 'of-another';
  } catch (error) {
    if (error instanceof ApiError && !error.retryable) return 'unknown';
    throw error;
  }
}
