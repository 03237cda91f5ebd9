import { realpath } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Defaults, Limits } from '../contracts/limits.ts';
import type { Source } from '../contracts/sources.ts';
import type { UploadRequest } from '../contracts/upload.ts';
import { formatBytes } from '../core/format.ts';
import { uploadRequestProblems } from '../core/upload-request.ts';
import { ConfigError, SourceUnusableError } from '../errors.ts';
import { openSource } from '../sources/open-source.ts';
import { identityDigest, workflowIdOf } from './upload-identity.ts';

export interface UploadOptions extends Omit<UploadRequest, 'source'> {
  /** A file of this machine; its parts run on this machine's worker. Give this or `source`. */
  readonly file?: string;
  readonly source?: Source;
  /** Idempotency key: the workflow id. @defaultValue derived from source, fingerprint, name, purpose and destination */
  readonly id?: string;
  /** Upload once more what was uploaded already. An upload that still runs is attached to all the same. */
  readonly again?: boolean;
  /** Base URL behind `destination`, where it may differ between callers; part of the derived id. */
  readonly baseUrl?: string;
}

export interface PreparedUpload {
  readonly request: UploadRequest;
  readonly workflowId: string;
  /** Equal for the same bytes, name, purpose and destination. */
  readonly digest: string;
}

/**
 * Checks an upload and gives it its id, before anything is created anywhere.
 *
 * @param host this machine's name in `source.host`
 * @param maxBytes largest file that is taken
 * @throws ConfigError for a wrong request, with every problem
 * @throws SourceMissingError, SourceUnusableError for a file that can't be uploaded
 */
export async function prepareUpload(
  options: UploadOptions,
  host: string,
  maxBytes: number = Limits.maxFileBytes,
): Promise<PreparedUpload> {
  const { file, source: given, id, again: _again, baseUrl, ...rest } = options;
  if ((file === undefined) === (given === undefined)) throw new ConfigError('give either "file" or "source"');
  const source: Source = given ?? { type: 'file', path: await absolute(file as string), host };
  const fingerprint = file === undefined ? rest.expectedFingerprint : await fingerprintOf(source, maxBytes);
  const request: UploadRequest = {
    source,
    ...rest,
    filename: rest.filename ?? basename(file ?? source.path),
    ...(fingerprint === undefined ? {} : { expectedFingerprint: fingerprint }),
  };
  const problems = uploadRequestProblems(request);
  if (problems.length > 0) throw new ConfigError(`wrong upload request: ${problems.join('; ')}`);

  const identity = {
    source,
    fingerprint,
    filename: request.filename as string,
    purpose: request.purpose,
    destination: request.destination ?? Defaults.destination,
    baseUrl,
  };
  return { request, workflowId: id ?? workflowIdOf(identity), digest: identityDigest(identity) };
}

async function absolute(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    // The source itself says best what is wrong with it.
    return resolve(file);
  }
}

async function fingerprintOf(source: Source, maxBytes: number): Promise<string> {
  const reader = await openSource(source);
  try {
    const { sizeBytes, fingerprint } = await reader.stat();
    if (sizeBytes > maxBytes) {
      const limit = formatBytes(maxBytes);
      throw new SourceUnusableError(
        `${source.path} has ${formatBytes(sizeBytes)} (${sizeBytes} bytes); an Upload takes ${limit} at most: ` +
          'upload a file of lines (JSONL) with --split, which makes several Files of it, or make the file smaller',
      );
    }
    return fingerprint;
  } finally {
    await reader.close();
  }
}
