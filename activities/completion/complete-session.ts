import type { UploadedFile } from '../../src/contracts/upload.ts';
import { StrangeAnswerError } from '../../src/errors.ts';
import type { CallOptions } from '../../src/destinations/http/call-limits.ts';
import type { Completion, Destination } from '../../src/destinations/port.ts';

/** Completes an Upload. @throws StrangeAnswerError if its File has another size than its parts */
export async function completeSession(
  client: Destination,
  uploadId: string,
  completion: Completion,
  call: CallOptions,
): Promise<UploadedFile> {
  const file = await client.complete(uploadId, completion, call);
  const { bytes } = completion.file;
  if (file.bytes === bytes) return file;
  throw new StrangeAnswerError(
    `the service returned the File ${file.id} of ${file.bytes} bytes for ${uploadId}, whose parts have ${bytes} bytes`,
  );
}
