import type { _Object as ListedObject, HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import type { S3Source } from '../../contracts/sources.ts';
import { nameOfSource } from '../../core/source/names.ts';
import { shellWord } from '../../core/text/shell-word.ts';
import {
  AbortedError,
  ConfigError,
  LonghaulError,
  SourceChangedError,
  SourceMissingError,
  SourceReadError,
  SourceArchivedError,
} from '../../errors.ts';
import { networkProblem } from '../remote/values.ts';

interface S3Failure {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The code, the message and the HTTP status of an error of the S3 client. Errors without a response have no status. */
export function failureOf(error: unknown) {
  const { name: code = '', message = String(error), $metadata } = (error ?? {}) as S3Failure;
  return { code, message, status: $metadata?.httpStatusCode };
}

/** Codes of expired credentials. */
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired']);
const THROTTLED = new Set(['SlowDown', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'TooManyRequests']);
const CHANGED = new Set(['PreconditionFailed', 'InvalidRange']);

/**
 * Maps the errors of the S3 client to those of Longhaul. Unknown errors are retried.
 *
 * @param name of the object, for messages
 */
export function mapS3Error(error: unknown, name: string): LonghaulError {
  const ofNetwork = networkProblem(error, name);
  if (ofNetwork) return ofNetwork;
  if (error instanceof LonghaulError) return error;
  const { code: named, message: whole, status } = failureOf(error);
  // The SDK's name for a response without an error code.
  const code = named.startsWith('Unknown') ? '' : named;
  // The SDK adds a hint for its developers.
  const [message = ''] = whole.split('\n', 1);
  const cause = { cause: error };
  // Errors of a store have a status. Those of the SDK do not.
  const isOfSdk = status === undefined;
  if (isOfSdk && code === 'AbortError') return new AbortedError(`reading ${name} was aborted`, cause);
  if (isOfSdk && (code === 'CredentialsProviderError' || code === 'TokenProviderError')) {
    return new ConfigError(
      `cannot read ${name}: no credentials found (${message}). Set the AWS credentials of this process.`,
      cause,
    );
  }
  if (isOfSdk && message === 'Region is missing') {
    const advice = 'Set AWS_REGION, or "region" of the S3 connection in the config file.';
    return new ConfigError(`cannot read ${name}: no region is set. ${advice}`, cause);
  }
  if (EXPIRED.has(code)) {
    return new SourceReadError(`cannot read ${name}: the credentials have expired (${code})`, cause);
  }
  if (status === 412 || status === 416 || CHANGED.has(code)) {
    const what = 'was overwritten while it was read. Start a new upload.';
    return new SourceChangedError(`${name} ${what}`, cause);
  }
  if (status === 404) {
    const what = code === 'NoSuchBucket' ? 'the bucket does not exist' : 'it does not exist';
    return new SourceMissingError(`cannot read ${name}: ${what}. Check its name and the S3 connection.`, cause);
  }
  if (status === 401 || status === 403) {
    const advice = 'Check the credentials and their permissions.';
    return new SourceMissingError(`cannot read ${name}: the store denied access (${code || status}). ${advice}`, cause);
  }
  const told = code === 'Error' || code === '' ? message : `${code}: ${message}`;
  const what = message === 'UnknownError' ? `the store returned ${status ?? 'no status'}` : told;
  const isOverload = status === 429 || status === 503 || THROTTLED.has(code);
  return new SourceReadError(`cannot read ${name}: ${what}`, { ...cause, isOverload });
}

/** Storage classes whose objects must be restored before they can be read; GLACIER_IR is read directly. */
const ARCHIVES: readonly unknown[] = ['GLACIER', 'DEEP_ARCHIVE'];

/** An archived object, as a listing or a HEAD shows it. */
export interface Archive {
  /** Storage class, or access tier of S3 Intelligent-Tiering. */
  readonly name: string;
  readonly isBeingRestored: boolean;
}

/** The archive of a row of a listing; undefined if the object can be read. Tiers of Intelligent-Tiering are not listed. */
export function archiveOfRow({ StorageClass: name, RestoreStatus: restore }: ListedObject): Archive | undefined {
  if (!name || !ARCHIVES.includes(name)) return undefined;
  const isBeingRestored = restore?.IsRestoreInProgress === true;
  const restoredToMs = restore?.RestoreExpiryDate?.getTime() ?? 0;
  return !isBeingRestored && restoredToMs > Date.now() ? undefined : { name, isBeingRestored };
}

/** The same for a response to HEAD. */
export function archiveOfHead({
  StorageClass,
  ArchiveStatus,
  Restore = '',
}: Omit<HeadObjectCommandOutput, '$metadata'>): Archive | undefined {
  const name = ArchiveStatus ?? StorageClass;
  if (!name || (ArchiveStatus === undefined && !ARCHIVES.includes(name))) return undefined;
  const isBeingRestored = /ongoing-request="true"/.test(Restore);
  const [, restoredTo = ''] = /expiry-date="([^"]{1,64})"/.exec(Restore) ?? [];
  return !isBeingRestored && Date.parse(restoredTo) > Date.now() ? undefined : { name, isBeingRestored };
}

/** Returns the reason why a sync excludes the object, as the rest of a sentence. */
export function describeArchive({ name, isBeingRestored }: Archive): string {
  return isBeingRestored
    ? `is archived (${name}) and is being restored. The first run after the restore sends it`
    : `is archived (${name}) and not restored. Restore it with "aws s3api restore-object", then run the sync again`;
}

/** @param archive undefined if the store only rejects a read */
export function archivedError(source: S3Source, archive?: Archive, cause?: unknown): SourceArchivedError {
  const object = nameOfSource(source);
  const place = archive === undefined ? '' : ` (${archive.name})`;
  if (archive?.isBeingRestored) {
    return new SourceArchivedError(
      `cannot read ${object}: it is archived${place} and is being restored. Run the same command again when it is restored.`,
      { cause },
    );
  }
  const { bucket, key, versionId } = source;
  // An object of S3 Intelligent-Tiering moves to another tier permanently.
  const isTier = archive?.name.endsWith('_ACCESS') === true;
  const words = ['aws', 's3api', 'restore-object', '--bucket', bucket, '--key', key];
  if (versionId !== undefined) words.push('--version-id', versionId);
  words.push('--restore-request', isTier ? '{}' : '{"Days":7}');
  const command = words.map(shellWord).join(' ');
  return new SourceArchivedError(
    `cannot read ${object}: it is archived${place}. Restore it: ${command}. Run the same command again when it is restored (this takes hours).`,
    { cause },
  );
}
