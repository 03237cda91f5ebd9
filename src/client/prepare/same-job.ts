import { Defaults } from '../../contracts/limits.ts';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { filenameOfSource, nameOfContainer, nameOfSource } from '../../core/source/names.ts';
import { withoutInode } from '../../core/upload/fingerprint.ts';
import { nameKey } from '../../core/text/name-form.ts';
import type { PreparedSync } from './prepare-sync.ts';
import type { PreparedSplit, PreparedUpload } from './prepare-upload.ts';

/**
 * Whether a workflow without an identity, which another program started, has the request of a job. Such a program can set
 * fewer properties, for example no host and no fingerprint.
 *
 * @param started input of the workflow, which can be any value
 */
export async function isSameJob(
  job: PreparedUpload | PreparedSplit | PreparedSync,
  started: unknown,
): Promise<boolean> {
  const problems = await import('../../contracts/requests/problems.ts');
  if (job.kind === 'sync') {
    const isSync = problems.syncRequestProblems(started).length === 0;
    return isSync && areEqual(keysOfSync(job.request), keysOfSync(started as SyncRequest));
  }
  const problemsOf = job.kind === 'split' ? problems.splitRequestProblems : problems.uploadRequestProblems;
  if (problemsOf(started).length > 0) return false;
  const { expectedFingerprint: expected, ...request } = started as UploadRequest;
  const { expectedFingerprint: found, ignoreInode } = job.request;
  const form = ignoreInode ? withoutInode : String;
  const isChanged = expected !== undefined && found !== undefined && form(expected) !== form(found);
  return !isChanged && areEqual(keysOfUpload(job.request), keysOfUpload(request));
}

type Key = string | number | undefined;

function keysOfUpload({ source, filename, purpose, destination = Defaults.destination }: UploadRequest): Key[] {
  const { offsetBytes, sizeBytes } = source.range ?? {};
  const name = nameKey(filename ?? filenameOfSource(source));
  return [source.type, nameOfSource(source), name, purpose, destination, offsetBytes, sizeBytes];
}

function keysOfSync({ source, purpose, destination = Defaults.destination, prefix = '' }: SyncRequest): Key[] {
  return [source.type, nameOfContainer(source), purpose, destination, nameKey(prefix)];
}

function areEqual(some: readonly Key[], others: readonly Key[]): boolean {
  return some.every((key, index) => key === others[index]);
}
