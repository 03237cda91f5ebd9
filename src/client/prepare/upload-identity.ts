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

/**
 * A workflow ID that is the same for the same bytes, name, purpose and destination. Operators recognise it by the name, unless
 * the name is hidden.
 */
export function workflowIdOf(identity: UploadIdentity, hidesName = false): string {
  return ['longhaul', ...(hidesName ? [] : [readableIn(identity.filename)]), identityDigest(identity)].join('-');
}

/** The part of a name that a workflow ID can contain. */
export function readableIn(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 48);
}

/** Without a sealed query, which is another one each time. */
function placeOf(source: Source): readonly (string | undefined)[] {
  if (source.type === 'file') return [source.type, source.host, source.path];
  if (source.type === 'http') return [source.type, source.url];
  return [source.type, source.connection, source.bucket, source.key, source.versionId];
}
