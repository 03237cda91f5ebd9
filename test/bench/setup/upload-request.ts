import type { UploadOptions } from '../../../src/client/prepare/prepare-upload.ts';

/** An upload whose problems end the benchmark, because nobody reads the reason of an upload that waits. */
export function uploadRequest(options: Partial<UploadOptions> & { readonly file: string }): UploadOptions {
  return { purpose: 'assistants', id: `bench-${crypto.randomUUID()}`, giveUpAfterMs: 60_000, ...options };
}
