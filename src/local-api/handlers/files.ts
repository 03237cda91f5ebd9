import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Handler, ApiContext } from '../api-context.ts';
import { badRequest, notFound, ApiProblem } from '../errors.ts';
import { toFileObject, type FileRecord, type LiveUpload } from '../upload-record.ts';
import { pageOf } from './page.ts';

const MAX_LIMIT = 10_000;

export const listFiles: Handler = async (context, { query }) => {
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc')
    throw badRequest("Invalid 'order': must be asc or desc.", 'order', 'invalid_value');

  const purpose = query.get('purpose');
  const files = context.listLag.list(context.store.files(), Date.now());
  if (order === 'desc') files.reverse();
  const json = pageOf(files, {
    query,
    limits: { maximum: MAX_LIMIT, default: MAX_LIMIT },
    kind: 'File',
    toObject: toFileObject,
    filter: (file) => purpose === null || file.purpose === purpose,
  });
  return { status: 200, json };
};

export const retrieveFile: Handler = async (context, { id }) => ({
  status: 200,
  json: toFileObject(requireFile(context, id).file),
});

function requireFile(context: ApiContext, fileId: string): { upload: LiveUpload; file: FileRecord } {
  const found = context.store.getFile(fileId);
  if (found === undefined) throw notFound(`No such File: '${fileId}'.`, 'file_not_found');
  return found;
}

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
    stream: async (response) => pipeline(readPieces(pieces), response),
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

/** From `startByte` up to but not with `endByte`. */
interface ByteRange {
  readonly startByte: number;
  readonly endByte: number;
}

/** Reads a `range` header of one range; anything else counts as no range, as HTTP allows. */
export function byteRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const tailBytes = Math.min(Number(last), sizeBytes);
    return tailBytes === 0 ? 'unsatisfiable' : { startByte: sizeBytes - tailBytes, endByte: sizeBytes };
  }
  const startByte = Number(first);
  const endByte = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < startByte) return undefined;
  return startByte >= sizeBytes ? 'unsatisfiable' : { startByte, endByte };
}

export const deleteFile: Handler = async (context, { id }) => {
  requireFile(context, id);
  await context.store.deleteFile(id);
  return { status: 200, json: { id, object: 'file', deleted: true } };
};
