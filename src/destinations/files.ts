import { Readable } from 'node:stream';
import type { ListedFile } from '../contracts/upload.ts';
import { ApiError, StrangeAnswerError } from '../errors.ts';
import type { CallOptions } from './http/call-limits.ts';
import type { Http } from './http/http.ts';
import type { FileStore, Gate, ListFilesQuery } from './port.ts';
import { deleteAnswer, fileAnswer, fileListAnswer, type FilePage } from './responses.ts';

/** 10,000 Files on one page are about 3 MiB. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;
/** Statuses with which servers report that a File does not exist. */
const MISSING = [404, 410];

/** `/files` of the API. Each call waits until the gate permits a request. */
export class ApiFiles implements FileStore {
  readonly #http: Http;
  readonly #gate: Gate | undefined;
  readonly #stallTimeoutMs: number;

  constructor(http: Http, gate: Gate | undefined, stallTimeoutMs: number) {
    this.#http = http;
    this.#gate = gate;
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  async list({ purpose, after, limit, order }: ListFilesQuery = {}, call: CallOptions = {}): Promise<FilePage> {
    await this.#gate?.enterRequest(call.signal);
    const query = { purpose, after, limit, order };
    const facts = {
      action: 'listing files',
      method: 'GET',
      path: '/files',
      query,
      maxAnswerBytes: MAX_LIST_BYTES,
    } as const;
    return this.#http.json({ ...call, ...facts }, fileListAnswer);
  }

  async retrieve(fileId: string, call: CallOptions = {}): Promise<ListedFile> {
    await this.#gate?.enterRequest(call.signal);
    return this.#retrieve(fileId, call);
  }

  #retrieve(fileId: string, call: CallOptions): Promise<ListedFile> {
    return this.#http.json(
      { ...call, action: `retrieving file ${fileId}`, method: 'GET', path: pathOf(fileId) },
      fileAnswer,
    );
  }

  /** Checks a success that does not confirm the deletion, such as the 204 of a gateway: the File must no longer exist. */
  async remove(fileId: string, call: CallOptions = {}): Promise<void> {
    await this.#gate?.enterRequest(call.signal);
    const facts = {
      action: `deleting file ${fileId}`,
      method: 'DELETE',
      path: pathOf(fileId),
      acceptsAnyBody: true,
    } as const;
    if (await this.#http.json({ ...call, ...facts }, deleteAnswer(fileId))) return;
    try {
      await this.#retrieve(fileId, call);
    } catch (error) {
      if (error instanceof ApiError && MISSING.includes(error.details.status)) return;
      throw error;
    }
    throw new StrangeAnswerError(
      `${this.#http.host} did not confirm the deletion of file ${fileId}, and the File still exists`,
    );
  }

  async read(fileId: string, call: CallOptions = {}): Promise<Readable> {
    await this.#gate?.enterRequest(call.signal);
    const { body, mapError } = await this.#http.stream({
      ...call,
      action: `downloading file ${fileId}`,
      method: 'GET',
      path: `${pathOf(fileId)}/content`,
      stallTimeoutMs: this.#stallTimeoutMs,
    });
    const content = Readable.from(withTypedErrors(body, mapError), { objectMode: false });
    // A stream that is destroyed before the first read never starts the generator, which would end the body.
    content.once('close', () => body.on('error', () => {}).destroy());
    return content;
  }
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
