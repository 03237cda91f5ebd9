import { realpath } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Defaults, Limits, TextLimits, type DestinationLimits } from '../../contracts/limits.ts';
import type { Source } from '../../contracts/sources.ts';
import type { SplitUploadRequest } from '../../contracts/split.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { filenameOfSource, nameOfSource, readableIn } from '../../core/source/names.ts';
import { pieceName } from '../../core/split/pieces.ts';
import { flag } from '../../core/text/check.ts';
import { utf8Length } from '../../core/text/clip.ts';
import { nameKey } from '../../core/text/name-form.ts';
import { printable } from '../../core/text/printable.ts';
import { fileProblem, nameProblem } from '../../core/upload/file-limits.ts';
import { withoutInode } from '../../core/upload/fingerprint.ts';
import { canonicalBaseUrl } from '../../network/url.ts';
import { ConfigError, SourceUnusableError } from '../../errors.ts';
import { jsonDigest } from '../../json-digest.ts';
import { pathOnDisk } from '../../sources/file/paths.ts';
import { sealedSource, sourceOfUrl } from '../../sources/source-of-url.ts';
import type { Sources } from '../../sources/sources.ts';
import { assertTextOptions, assertWorkflowId } from './option-problems.ts';

/**
 * Options of `LonghaulClient.upload()`: one of `file`, `url` and `source`, `purpose`, and the settings of `UploadRequest`.
 *
 * @example
 * await longhaul.upload({ file: '/data/train.jsonl', purpose: 'fine-tune' });
 */
export interface UploadOptions extends Omit<UploadRequest, 'source'> {
  /** A file of this machine, whose worker sends the parts. Set one of this, `url` and `source`. */
  readonly file?: string;
  /** An `s3://BUCKET/KEY`, `http:` or `https:` URL. This process inspects it, and any worker reads it. */
  readonly url?: string;
  /**
   * A source that this process does not inspect. The derived ID then does not depend on the content. Set `id` or
   * `expectedFingerprint` if the content can change under the same name.
   */
  readonly source?: Source;
  /** Name of the S3 connection for an `s3://` URL. @defaultValue `default` */
  readonly s3Connection?: string;
  /** Workflow ID, which is the idempotency key. @defaultValue derived from source, fingerprint, name, purpose and destination */
  readonly id?: string;
  /** Whether to upload again if the upload has completed. A running upload is attached to in any case. @defaultValue false */
  readonly again?: boolean;
  /** Base URL of `destination`, if it can differ between callers. Part of the derived ID. */
  readonly baseUrl?: string;
}

export interface PreparedUpload {
  readonly kind: 'upload';
  readonly request: UploadRequest;
  readonly workflowId: string;
  /** Equal for the same bytes, name, purpose and destination. */
  readonly digest: string;
  /** ID and digest of the same upload of a source with another fingerprint. */
  readonly identityUnder: (fingerprint: string) => { readonly workflowId: string; readonly digest: string };
  /** As in `UploadOptions`. */
  readonly again: boolean | undefined;
}

export interface PreparedSplit extends Omit<PreparedUpload, 'kind'> {
  readonly kind: 'split';
  readonly request: SplitUploadRequest;
}

export interface PrepareContext {
  /** This machine's name in `source.host`. */
  readonly host: string;
  /** Sources that this process can read. */
  readonly sources: Sources;
  /** Key that seals the query of a URL. The workers need the same key. */
  readonly sealKey?: (() => string) | undefined;
  /** Whether workflow IDs must not contain names of files, because payloads are encrypted. @defaultValue false */
  readonly hidesNames?: boolean;
  /** The limits of a destination, if this process has them. The first activity checks them in any case. @defaultValue none */
  readonly limits?: (destination: string, purpose: string) => DestinationLimits | undefined;
}

/**
 * Checks an upload and derives its ID, before anything is created.
 *
 * @param kind of the upload: a split upload has no maximum size
 * @param idOf workflow ID of the request, from the digest of the upload as a whole
 * @throws ConfigError if the request is invalid, with every problem
 * @throws SourceMissingError, SourceUnusableError, SourceForbiddenError, SourceNotRangedError if the source cannot be uploaded
 */
export async function prepareUpload(
  options: UploadOptions,
  { host, sources, sealKey, hidesNames, limits }: PrepareContext,
  kind: 'upload' | 'split' = 'upload',
  idOf: (workflowId: string, digest: string) => string = (workflowId) => workflowId,
): Promise<PreparedUpload> {
  assertTextOptions(options, 'upload', ['file', 'url', 's3Connection', 'id', 'baseUrl'], { again: flag });
  const { file, url, source: value, s3Connection, id, again, baseUrl, ...rest } = options;
  const given = value ?? undefined;
  if ([file, url, given].filter((one) => one !== undefined).length !== 1) {
    throw new ConfigError('set exactly one of "file", "url" and "source"');
  }
  const urlContext = { connection: s3Connection, sealKey };
  const named = url === undefined ? undefined : sourceOfUrl(url, urlContext);
  const source: Source = given ?? named?.source ?? { type: 'file', path: await absolute(file as string), host };
  const ofSource = hasName(source) ? filenameOfSource(source) : '';
  const filename = nameKey(rest.filename ?? (file === undefined ? ofSource : basename(file)));
  const info =
    given === undefined ? await sources.read(source, { query: named?.query }, (reader) => reader.stat()) : undefined;
  const found = info ? info.fingerprint : rest.expectedFingerprint;
  // So that the derived ID is the same after a remount.
  const fingerprint = rest.ignoreInode && found !== undefined ? withoutInode(found) : found;
  const request: UploadRequest = {
    source,
    ...rest,
    filename,
    expectedFingerprint: fingerprint,
  };
  // Loaded here, so that commands that start no job do not load the schemas.
  const { uploadRequestProblems } = await import('../../contracts/requests/problems.ts');
  const problems = uploadRequestProblems(request);
  if (problems.length > 0) {
    const name = hasName(source) ? ` of ${printable(nameOfSource(source))}` : '';
    throw new ConfigError(`invalid upload${name}: ${problems.join('; ')}`);
  }

  const { purpose, destination = Defaults.destination } = request;
  const limited = { filename, purpose, sizeBytes: info?.sizeBytes ?? 0 };
  const ofDestination = limits?.(destination, purpose);
  const exceeded = ofDestination && (kind === 'split' ? nameProblem : fileProblem)(ofDestination, limited);
  if (exceeded !== undefined) {
    throw new SourceUnusableError({ name: printable(nameOfSource(source)), reason: `it ${exceeded}` });
  }

  const identity = { source, fingerprint, filename, purpose, destination, baseUrl };
  const under = (one: UploadIdentity) => {
    const digest = identityDigest(one);
    return { workflowId: id ?? idOf(workflowIdOf(one, hidesNames), digest), digest };
  };
  const { workflowId, digest } = under(identity);
  assertWorkflowId('id', workflowId, kind === 'split' ? TextLimits.parentWorkflowId : TextLimits.workflowId);
  const sealed = named ? sealedSource(named, workflowId, urlContext) : source;
  const identityUnder = (other: string) => under({ ...identity, fingerprint: other });
  return { kind: 'upload', request: { ...request, source: sealed }, workflowId, digest, identityUnder, again };
}

/** Whether the properties of the name are texts. A program without types can pass any value, which is rejected later. */
function hasName({
  type,
  path,
  url,
  bucket,
  key,
}: Partial<Record<'type' | 'path' | 'url' | 'bucket' | 'key', unknown>>) {
  const names = type === 'file' ? [path] : type === 'http' ? [url] : [bucket, key];
  return names.every((name) => typeof name === 'string');
}

async function absolute(file: string): Promise<string> {
  try {
    return await realpath(await pathOnDisk(file));
  } catch {
    // The error of the source has priority, because it is more specific.
    return resolve(file);
  }
}

/** Options of `LonghaulClient.uploadSplit()`: as those of an upload, for a file of lines of any size. */
export interface SplitUploadOptions extends UploadOptions {
  /**
   * Maximum size of each File in bytes. With `auto`, a session is long enough for each File at the rate of the last uploads
   * to the destination.
   *
   * @defaultValue the maximum of the destination for the purpose
   */
  readonly pieceSizeBytes?: number | 'auto';
}

/**
 * Checks a split upload and derives its ID. The file can have any size. With the piece size `auto`, the caller sets it in the
 * request later, and it is not part of the ID.
 *
 * @throws as `prepareUpload`
 */
export async function prepareSplit(options: SplitUploadOptions, context: PrepareContext): Promise<PreparedSplit> {
  assertTextOptions(options, 'uploadSplit', []);
  const { pieceSizeBytes: size, ...rest } = options;
  const pieceSizeBytes = size === 'auto' ? undefined : size;
  const splitDigest = (digest: string) => jsonDigest(['split', digest, size ?? Limits.maxFileBytes], 24);
  // The query of a URL is sealed for this ID.
  const idOf = (workflowId: string, digest: string) => workflowId.replace(digest, splitDigest(digest));
  const { request: upload, digest, ...prepared } = await prepareUpload(rest, context, 'split', idOf);
  const request: SplitUploadRequest = { ...upload, pieceSizeBytes, again: options.again ? true : undefined };
  const { splitRequestProblems } = await import('../../contracts/requests/problems.ts');
  const problems = [...splitRequestProblems(request), ...pieceNameProblems(upload.filename as string)];
  if (problems.length > 0) throw new ConfigError(`invalid upload: ${problems.join('; ')}`);
  return { ...prepared, kind: 'split', request, digest: splitDigest(digest) };
}

/** Checks the length of the name in advance: a piece with a name that is too long would fail after the first Files exist. */
function pieceNameProblems(filename: string): string[] {
  const addedBytes = utf8Length(pieceName(filename, 1, 2)) - utf8Length(filename);
  const maxBytes = TextLimits.filename - addedBytes;
  if (utf8Length(filename) <= maxBytes) return [];
  return [`"filename" must have at most ${maxBytes} bytes, because the name of a piece is longer`];
}

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
  const address = baseUrl && canonicalBaseUrl(baseUrl);
  const fields = [...placeOf(source), fingerprint, filename, purpose, destination, address];
  // Only if it is set, so that the IDs of whole files do not change.
  if (source.range) fields.push(`${source.range.offsetBytes}+${source.range.sizeBytes}`);
  return jsonDigest(fields, 24);
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
