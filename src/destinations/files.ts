import { Readable } from 'node:stream';
import type { ListedFile } from '../contracts/upload.ts';
import { ApiError, StrangeAnswerError } from '../errors.ts';
import { deleteAnswer, fileAnswer, fileListAnswer, type FilePage } from './responses.ts';
import type { CallOptions } from './http/call-limits.ts';
import type { Http } from './http/http.ts';

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

export function retrieveFile(http: Http, fileId: string, options: CallOptions): Promise<ListedFile> {
  return http.json(
    { ...options, action: `asking for file ${fileId}`, method: 'GET', path: pathOf(fileId) },
    fileAnswer,
  );
}

/** Statuses with which servers report that a File does not exist. */
const MISSING = [404, 410];

/**
 * Deletes a File. A success that does not confirm the deletion, such as the 204 of a gateway, is checked: the File must
 * not exist any longer.
 *
 * @throws StrangeAnswerError if the service reported success and the File still exists
 */
export async function deleteFile(http: Http, fileId: string, options: CallOptions): Promise<void> {
  const action = `deleting file ${fileId}`;
  const call = { ...options, action, method: 'DELETE', path: pathOf(fileId), acceptsAnyBody: true } as const;
  if (await http.json(call, deleteAnswer(fileId))) return;
  try {
    await retrieveFile(http, fileId, options);
  } catch (error) {
    if (error instanceof ApiError && MISSING.includes(error.details.status)) return;
    throw error;
  }
  throw new StrangeAnswerError(
    `${http.host} did not confirm the deletion of file ${fileId}, and the File still exists`,
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
