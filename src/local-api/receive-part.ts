import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { FILE_MODE } from './private-files.ts';
import { type ApiProblem, badRequest } from './errors.ts';

/** Maximum bytes that wait for the disk; small compared with a part. */
const BUFFER_BYTES = 1024 * 1024;

interface PartReception {
  readonly contentType: string;
  readonly chunks: AsyncIterable<Buffer>;
  /** Path of the new file. After a failure, it does not exist. */
  readonly path: string;
  /** Maximum size. Larger data fails with `overLimit()`. */
  readonly limitBytes: number;
  readonly overLimit: () => ApiProblem;
  /** Receives the size of each chunk. */
  readonly onBytes: (sizeBytes: number) => void;
}

/**
 * Streams the field `data` of a multipart body into a file, with a few buffers in memory.
 * @returns the size of the data in bytes
 * @throws ApiProblem if the body is not exactly one field `data`, or is empty or too large
 * @throws the error of the connection if it ends before the body
 */
export async function receivePart(reception: PartReception): Promise<number> {
  const parser = createParser(reception);
  // Aborted with the first error of an event, for the loop that feeds the parser.
  const failure = new AbortController();
  const failed = failure.signal;
  const next = (event: 'drain' | 'finish') =>
    once(parser, event, { signal: failed }).catch((error: unknown) => {
      failed.throwIfAborted();
      throw error;
    });
  let data:
    | { readonly file: BusboyFileStream; readonly writer: WriteStream; readonly stored: Promise<void> }
    | undefined;

  parser.on('file', (field, file) => {
    if (field !== 'data' || data !== undefined) {
      file.on('error', () => undefined).resume();
      // "multipart/form-data", one field `data`.
      failure.abort(field === 'data' ? oneFieldProblem() : unknownFieldProblem(field));
      return;
    }
    file.once('limit', () => failure.abort(reception.overLimit()));
    const writer = createWriteStream(reception.path, { flags: 'wx', mode: FILE_MODE, highWaterMark: BUFFER_BYTES });
    const stored = pipeline(file, writer);
    stored.catch((error: unknown) => failure.abort(error));
    data = { file, writer, stored };
  });
  parser.on('error', () =>
    failure.abort(badRequest('The multipart body is damaged or ends too early.', undefined, 'invalid_multipart')),
  );

  try {
    let countedBytes = 0;
    for await (const chunk of reception.chunks) {
      const hasRoom = parser.write(chunk);
      const seenBytes = data?.file.bytesRead ?? 0;
      reception.onBytes(seenBytes - countedBytes);
      countedBytes = seenBytes;
      failed.throwIfAborted();
      if (!hasRoom) await next('drain');
    }
    const parsed = next('finish');
    parser.end();
    await parsed;
    failed.throwIfAborted();
    if (data === undefined)
      throw badRequest("Missing required parameter: 'data'.", 'data', 'missing_required_parameter');
    await data.stored;
    if (data.writer.bytesWritten === 0) throw badRequest("Invalid 'data': it is empty.", 'data', 'empty_part');
    return data.writer.bytesWritten;
  } catch (error) {
    data?.file.destroy();
    // Its file can still be opened. It can be removed permanently only after `close`.
    if (data !== undefined) await closed(data.writer);
    await rm(reception.path, { force: true });
    throw error;
  }
}

/** Of the headers of the first field. */
const MAX_FIELD_HEAD_BYTES = 16 * 1024;

/**
 * Passes the chunks of a multipart body on if its first field has a `Content-Type`. The parser reports a default type for
 * a field without one.
 *
 * @throws ApiProblem if it does not
 */
export async function* withPartType(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1 && head.length <= MAX_FIELD_HEAD_BYTES) continue;
    if (!/^content-type:[ \t]*\S/im.test(head.toString('latin1', 0, Math.max(end, 0)))) {
      throw badRequest("The field 'data' must have a Content-Type.", 'data', 'missing_content_type');
    }
    yield head;
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield head;
}

async function closed(writer: WriteStream): Promise<void> {
  writer.destroy();
  if (writer.closed) return;
  await new Promise<void>((resolve) => writer.once('close', resolve));
}

function createParser({ contentType, limitBytes }: PartReception): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      highWaterMark: BUFFER_BYTES,
      fileHwm: BUFFER_BYTES,
      // A form field without a file name is also valid, as in the example of the API. Only files are streamed.
      isPartAFile: () => true,
      limits: { fileSize: limitBytes, headerPairs: 32, headerSize: 16 * 1024 },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badRequest(
      `The header 'content-type' is not valid multipart/form-data: ${reason}.`,
      undefined,
      'invalid_multipart',
    );
  }
}

function oneFieldProblem(): ApiProblem {
  return badRequest("The body must have exactly one field 'data'.", 'data', 'invalid_value');
}

function unknownFieldProblem(field: string | undefined): ApiProblem {
  return badRequest(`Unknown parameter: '${field ?? ''}'.`, field, 'unknown_parameter');
}
