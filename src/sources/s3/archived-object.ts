import type { RestoreStatus } from '@aws-sdk/client-s3';
import type { S3Source } from '../../contracts/sources.ts';
import { nameOfSource } from '../../core/source/names.ts';
import { SourceArchivedError } from '../../errors.ts';

/** Storage classes whose objects must be restored before they can be read; GLACIER_IR is read directly. */
const ARCHIVES: readonly unknown[] = ['GLACIER', 'DEEP_ARCHIVE'];

/** An archived object, as a listing or a HEAD shows it. */
export interface Archive {
  /** Storage class, or access tier of S3 Intelligent-Tiering. */
  readonly name: string;
  readonly isBeingRestored: boolean;
}

/** The archive of a row of a listing; undefined if the object can be read. Tiers of Intelligent-Tiering are not listed. */
export function archiveOfRow(row: {
  readonly StorageClass?: string | undefined;
  readonly RestoreStatus?: RestoreStatus | undefined;
}): Archive | undefined {
  const { StorageClass: name, RestoreStatus: restore } = row;
  if (!name || !ARCHIVES.includes(name)) return undefined;
  const isBeingRestored = restore?.IsRestoreInProgress === true;
  const restoredToMs = restore?.RestoreExpiryDate?.getTime() ?? 0;
  return !isBeingRestored && restoredToMs > Date.now() ? undefined : { name, isBeingRestored };
}

/** The same for a response to HEAD. */
export function archiveOfHead(head: {
  readonly StorageClass?: string | undefined;
  readonly ArchiveStatus?: string | undefined;
  readonly Restore?: string | undefined;
}): Archive | undefined {
  const { StorageClass, ArchiveStatus, Restore = '' } = head;
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

function shellWord(word: string): string {
  return /^[\w./=:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
