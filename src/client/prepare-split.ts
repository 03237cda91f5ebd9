import { createHash } from 'node:crypto';
import { Limits, TextLimits } from '../contracts/limits.ts';
import type { SplitUploadRequest } from '../contracts/split.ts';
import { pieceName } from '../core/piece-name.ts';
import { splitRequestProblems } from '../core/split-request.ts';
import { utf8Length } from '../core/utf8-length.ts';
import { ConfigError } from '../errors.ts';
import { assertTextOptions } from './option-problems.ts';
import { prepareUpload, type PrepareContext, type PreparedUpload, type UploadOptions } from './prepare-upload.ts';

export interface SplitUploadOptions extends UploadOptions {
  /** Most bytes of one File. @defaultValue 8 GiB */
  readonly pieceSizeBytes?: number;
}

/** As `prepareUpload`, for a file of any size that becomes several Files. @throws as `prepareUpload` */
export async function prepareSplit(
  options: SplitUploadOptions,
  context: PrepareContext,
): Promise<PreparedUpload & { readonly request: SplitUploadRequest }> {
  assertTextOptions(options, 'uploadSplit', []);
  const { pieceSizeBytes = Limits.maxFileBytes, ...rest } = options;
  const splitDigest = (digest: string) =>
    createHash('sha256')
      .update(JSON.stringify(['split', digest, pieceSizeBytes]))
      .digest('hex')
      .slice(0, 24);
  // The query of a URL is sealed for this ID.
  const idOf = (workflowId: string, digest: string) => workflowId.replace(digest, splitDigest(digest));
  const { request: upload, workflowId, digest, identityUnder } = await prepareUpload(rest, context, Infinity, idOf);
  const request: SplitUploadRequest = { ...upload, pieceSizeBytes, again: options.again ? true : undefined };
  const problems = [...splitRequestProblems(request), ...pieceNameProblems(upload.filename as string)];
  if (problems.length > 0) throw new ConfigError(`wrong upload request: ${problems.join('; ')}`);
  return { request, workflowId, digest: splitDigest(digest), identityUnder };
}

/** A piece that is longer than a name can be would fail when the pieces before it are Files. */
function pieceNameProblems(filename: string): string[] {
  const addedBytes = utf8Length(pieceName(filename, 1, 2)) - utf8Length(filename);
  const maxBytes = TextLimits.filename - addedBytes;
  if (utf8Length(filename) <= maxBytes) return [];
  return [`"filename" must have at most ${maxBytes} bytes, because the name of a piece is longer`];
}
