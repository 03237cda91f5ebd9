import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Handler } from '../api-context.ts';
import { ApiProblem } from '../errors.ts';
import { byteRange, type ByteRange } from '../byte-range.ts';
import { requireFile } from './retrieve-file.ts';

interface Piece extends ByteRange {
  readonly path: string;
}

export const fileContent: Handler = async (context, { message, id }) => {
  const { upload, file } = requireFile(context, id);
  const range = byteRange(message.headers.range, file.bytes);
  if (range === 'unsatisfiable') {
    throw new ApiProblem(416, `The File has ${file.bytes} bytes.`, {
      headers: { 'content-range': `bytes */${file.bytes}` },
    });
  }
  const { startByte, endByte } = range ?? { startByte: 0, endByte: file.bytes };
  const pieces: Piece[] = [];
  let partStart = 0;
  for (const partId of file.partIds) {
    const partEnd = partStart + (upload.parts.get(partId)?.sizeBytes ?? 0);
    if (partEnd > startByte && partStart < endByte) {
      pieces.push({
        path: context.store.partPath(upload.record.id, partId),
        startByte: Math.max(startByte - partStart, 0),
        endByte: Math.min(endByte, partEnd) - partStart,
      });
    }
    partStart = partEnd;
  }
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(endByte - startByte),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(wellFormed(file.filename))}`,
      'accept-ranges': 'bytes',
      ...(range === undefined ? {} : { 'content-range': `bytes ${startByte}-${endByte - 1}/${file.bytes}` }),
    },
    stream: async (response) => {
      await pipeline(readPieces(pieces), response);
    },
  };
};

async function* readPieces(pieces: readonly Piece[]): AsyncGenerator<Buffer> {
  for (const { path, startByte, endByte } of pieces) {
    const options = { start: startByte, end: endByte - 1, highWaterMark: 1024 * 1024 };
    yield* createReadStream(path, options) as AsyncIterable<Buffer>;
  }
}

/** Half a surrogate pair, which JSON can carry and URLs can't, becomes U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
