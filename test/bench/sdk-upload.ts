import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import OpenAI, { toFile } from 'openai';

/** What a caller gives as a part's `data`: a stream over a range of the file, or its bytes in memory. */
export type Way = 'stream' | 'Buffer';

export interface SdkUpload {
  readonly baseUrl: string;
  readonly path: string;
  readonly way: Way;
  readonly partSizeBytes: number;
  /** The SDK's own limit for a request. @defaultValue the SDK's: ten minutes */
  readonly timeoutMs?: number | undefined;
  /** MD5 of the completion. @defaultValue none, because the SDK does not compute it */
  readonly md5?: string | undefined;
  readonly afterPart?: ((partNumber: number) => Promise<unknown>) | undefined;
}

/**
 * One upload as users of the official SDK write it: create, the parts in order, complete. Everything of the client is as
 * it comes (`maxRetries` 2, `timeout` ten minutes).
 *
 * @returns the File's id, or undefined when the SDK reports success without one
 * @throws what the SDK throws
 */
export async function uploadWithSdk(upload: SdkUpload): Promise<string | undefined> {
  const { baseUrl, path, partSizeBytes, timeoutMs, md5, afterPart } = upload;
  const client = new OpenAI({
    baseURL: baseUrl,
    apiKey: 'sk-local',
    timeout: timeoutMs,
  });
  const { size } = await stat(path);
  const { id } = await client.uploads.create({
    filename: basename(path),
    purpose: 'assistants',
    bytes: size,
    mime_type: 'application/jsonl',
  });
  const partIds: string[] = [];
  for (let offsetBytes = 0; offsetBytes < size; offsetBytes += partSizeBytes) {
    const data = await partData(upload, offsetBytes, Math.min(partSizeBytes, size - offsetBytes));
    partIds.push((await client.uploads.parts.create(id, { data })).id);
    await afterPart?.(partIds.length);
  }
  const completed = await client.uploads.complete(id, { part_ids: partIds, md5 });
  return completed.file?.id;
}

async function partData({ path, way }: SdkUpload, offsetBytes: number, sizeBytes: number) {
  if (way === 'stream') return createReadStream(path, { start: offsetBytes, end: offsetBytes + sizeBytes - 1 });
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sizeBytes), 0, sizeBytes, offsetBytes);
    return await toFile(buffer.subarray(0, bytesRead), 'part');
  } finally {
    await file.close();
  }
}
