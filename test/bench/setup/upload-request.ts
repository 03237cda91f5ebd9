import type { UploadOptions } from '../../../src/client/prepare/prepare-upload.ts';

/** An upload that fails if it waits for a minute, because a benchmark shows no reason for waiting. */
export function uploadRequest(options: Partial<UploadOptions> & { readonly file: string }): UploadOptions {
  return { purpose: 'assistants', id: `bench-${crypto.randomUUID()}`, giveUpAfterMs: 60_000, ...options };
}
