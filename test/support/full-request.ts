import type { z } from 'zod';
import { checkRequest } from '../../src/contracts/requests/problems.ts';
import { syncRequest } from '../../src/contracts/requests/sync.ts';
import { splitRequest, uploadRequest } from '../../src/contracts/requests/upload.ts';
import type { FullSplitRequest } from '../../src/contracts/split.ts';
import type { FullSyncRequest } from '../../src/contracts/sync.ts';
import type { FullUploadRequest } from '../../src/contracts/upload.ts';

/** A request with its defaults, as the first activity returns it. */
export const fullUpload = (request: unknown): FullUploadRequest => ({
  filename: 'a.jsonl',
  partSizeBytes: 8 * 1024 * 1024,
  ...full(uploadRequest, request),
});
export const fullSplit = (request: unknown): FullSplitRequest => ({
  filename: 'a.jsonl',
  ...full(splitRequest, request),
});
export const fullSync = (request: unknown): FullSyncRequest => full(syncRequest, request);

function full<Schema extends z.ZodType>(schema: Schema, request: unknown): z.output<Schema> {
  const { problems, full: checked } = checkRequest(schema, request);
  if (checked === undefined) throw new Error(problems.join('; '));
  return checked;
}
