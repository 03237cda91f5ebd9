import { createHash } from 'node:crypto';
import type { Source } from '../../contracts/sources.ts';

/** What makes two requests the same upload. */
export interface UploadIdentity {
  readonly source: Source;
  readonly fingerprint: string | undefined;
  readonly filename: string;
  readonly purpose: string;
  readonly destination: string;
  /** Base URL of the destination where the caller knows it: the same profile name may mean another service elsewhere. */
  readonly baseUrl: string | undefined;
}

/** Equal for equal identities; told to Temporal in a memo, so that an id that is taken by another file is noticed. */
export function identityDigest(identity: UploadIdentity): string {
  const { source, fingerprint, filename, purpose, destination, baseUrl } = identity;
  const fields = [...placeOf(source), fingerprint, filename, purpose, destination, baseUrl];
  // Only where there is one: the ids of whole files stay what they were.
  if (source.range) fields.push(`${source.range.offsetBytes}+${source.range.sizeBytes}`);
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex').slice(0, 24);
}

/** A workflow id that is the same for the same bytes, name, purpose and destination, and that a person can recognise. */
export function workflowIdOf(identity: UploadIdentity): string {
  const readable = identity.filename.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 48);
  return `longhaul-${readable}-${identityDigest(identity)}`;
}

/** Without a sealed query, which is another one each time. */
function placeOf(source: Source): readonly (string | undefined)[] {
  if (source.type === 'file') return [source.type, source.host, source.path];
  if (source.type === 'http') return [source.type, source.url];
  return [source.type, source.connection, source.bucket, source.key, source.versionId];
}
