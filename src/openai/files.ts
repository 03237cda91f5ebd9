import { Readable } from 'node:stream';
import type { UploadedFile } from '../contracts/upload.ts';
import { deleteAnswer, fileAnswer, fileListAnswer, type FilePage } from './answers.ts';
import type { CallOptions } from './call-limits.ts';
import type { Http } from './http.ts';

export interface ListFilesQuery {
  readonly purpose?: string | undefined;
  /** Id of the last File of the page before. */
  readonly after?: string | undefined;
  /** 1 to 10,000. @defaultValue the service's */
  readonly limit?: number | undefined;
  /** By time of creation. @defaultValue the service's: `desc` */
  readonly order?: 'asc' | 'desc' | undefined;
}

/** 10,000 Files on one page are about 3 MiB. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;

export function listFiles(http: Http, query: ListFilesQuery, options: CallOptions): Promise<FilePage> {
  const { purpose, after, limit, order } = query;
  return http.json(
    {
      ...options,
      action: 'listing files',
      method: 'GET',
      path: '/files',
      query: { purpose, after, limit, order },
      maxAnswerBytes: MAX_LIST_BYTES,
    },
    fileListAnswer,
  );
}

export function retrieveFile(http: Http, fileId: string, options: CallOptions): Promise<UploadedFile> {
  return http.json(
    { ...options, action: `asking for file ${fileId}`, method: 'GET', path: pathOf(fileId) },
    fileAnswer,
  );
}

export async function deleteFile(http: Http, fileId: string, options: CallOptions): Promise<void> {
  await http.json(
    { ...options, action: `deleting file ${fileId}`, method: 'DELETE', path: pathOf(fileId) },
    deleteAnswer,
  );
}

/** The content while it arrives. The caller reads it to its end or destroys it. */
export async function downloadFile(
  http: Http,
  fileId: string,
  stallTimeoutMs: number,
  options: CallOptions,
): Promise<Readable> {
  const { body, mapError } = await http.stream({
    ...options,
    action: `downloading file ${fileId}`,
    method: 'GET',
    path: `${pathOf(fileId)}/content`,
    stallTimeoutMs,
  });
  const content = Readable.from(withTypedErrors(body, mapError), { objectMode: false });
  // A stream that is destroyed before anybody read from it never starts the generator, which would end the body.
  content.once('close', () => body.on('error', () => {}).destroy());
  return content;
}

async function* withTypedErrors(body: Readable, mapError: (error: unknown) => unknown): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw mapError(error);
  }
}

function pathOf(fileId: string): string {
  return `/files/${encodeURIComponent(fileId)}`;
}
