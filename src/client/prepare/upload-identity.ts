import { createHash } from 'node:crypto';
import { readableIn } from '../../core/source/names.ts';
import type { Source } from '../../contracts/sources.ts';

/** Properties that identify an upload: requests with the same values are the same upload. */
export interface UploadIdentity {
  readonly source: Source;
  readonly fingerprint: string | undefined;
  readonly filename: string;
  readonly purpose: string;
  readonly destination: string;
  /** Base URL of the destination, if the caller has it: the same name can be another service in another configuration. */
  readonly baseUrl: string | undefined;
}

/** Returns the digest of an identity. The memo of the workflow contains it, to detect an ID that belongs to another file. */
export function identityDigest(identity: UploadIdentity): string {
  const { source, fingerprint, filename, purpose, destination, baseUrl } = identity;
  const fields = [...placeOf(source), fingerprint, filename, purpose, destination, baseUrl];
  // Only if it is set, so that the IDs of whole files do not change.
  if (source.range) fields.push(`${source.range.offsetBytes}+${source.range.sizeBytes}`);
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex').slice(0, 24);
}

/**
 * Returns a workflow ID that is the same for the same bytes, name, purpose and destination. It contains the name, unless the
 * name is hidden.
 */
export function workflowIdOf(identity: UploadIdentity, hidesName = false): string {
  return ['longhaul', ...(hidesName ? [] : [readableIn(identity.filename)]), identityDigest(identity)].join('-');
}

/** Omits a sealed query, which is different each time. */
function placeOf(source: Source): readonly (string | undefined)[] {
  if (source.type === 'file') return [source.type, source.host, source.path];
  if (source.type === 'http') return [source.type, source.url];
  return [source.type, source.connection, source.bucket, source.key, source.versionId];
}
