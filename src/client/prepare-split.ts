import { createHash } from 'node:crypto';
import { Limits } from '../contracts/limits.ts';
import type { SplitUploadRequest } from '../contracts/split.ts';
import { splitRequestProblems } from '../core/split-request.ts';
import { ConfigError } from '../errors.ts';
import { prepareUpload, type PrepareContext, type PreparedUpload, type UploadOptions } from './prepare-upload.ts';

export interface SplitUploadOptions extends UploadOptions {
  /** Most bytes of one File. @defaultValue 8 GiB */
  readonly pieceSizeBytes?: number;
}

/** As `prepareUpload`, for a file of any size that becomes several Files. @throws as `prepareUpload` */
export async function prepareSplit(
  { pieceSizeBytes = Limits.maxFileBytes, ...options }: SplitUploadOptions,
  context: PrepareContext,
): Promise<PreparedUpload & { readonly request: SplitUploadRequest }> {
  const whole = await prepareUpload(options, context, Infinity);
  const request: SplitUploadRequest = { ...whole.request, pieceSizeBytes, ...(options.again ? { again: true } : {}) };
  const problems = splitRequestProblems(request);
  if (problems.length > 0) throw new ConfigError(`wrong upload request: ${problems.join('; ')}`);

  const digest = createHash('sha256')
    .update(JSON.stringify(['split', whole.digest, pieceSizeBytes]))
    .digest('hex');
  const identity = digest.slice(0, 24);
  const workflowId = options.id ?? whole.workflowId.replace(whole.digest, identity);
  return { request, workflowId, digest: identity };
}
