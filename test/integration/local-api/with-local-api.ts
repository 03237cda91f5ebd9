import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalApi, type LocalApi, type LocalApiOptions } from '../../../src/local-api/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: any;
}

export interface CallOptions {
  readonly json?: unknown;
  readonly body?: string | FormData;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export class ApiCaller {
  readonly #root: string;

  constructor(url: string) {
    this.#root = url.replace(/\/v1$/, '');
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await fetch(this.#root + path, {
      method,
      headers: {
        authorization: 'Bearer test',
        ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
      ...(options.body === undefined ? {} : { body: options.body }),
      signal: options.signal,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
  }

  async create(bytes: number, more: object = {}): Promise<string> {
    const answer = await this.call('POST', '/v1/uploads', { json: { ...createBody(bytes), ...more } });
    if (answer.status !== 200) throw new Error(`create answered ${answer.status}: ${answer.json.error.message}`);
    return answer.json.id;
  }

  async part(uploadId: string, data: string | Uint8Array<ArrayBuffer>): Promise<Answer> {
    const form = new FormData();
    form.set('data', new Blob([data]), 'part');
    return this.call('POST', `/v1/uploads/${uploadId}/parts`, { body: form });
  }

  async partId(uploadId: string, data: string | Uint8Array<ArrayBuffer>): Promise<string> {
    const answer = await this.part(uploadId, data);
    if (answer.status !== 200) throw new Error(`part answered ${answer.status}: ${answer.json.error.message}`);
    return answer.json.id;
  }

  complete(uploadId: string, partIds: readonly string[], md5?: string): Promise<Answer> {
    return this.call('POST', `/v1/uploads/${uploadId}/complete`, { json: { part_ids: partIds, md5 } });
  }

  /** Creates, sends and completes; the File's id. */
  async file(content: string, more: object = {}): Promise<string> {
    const uploadId = await this.create(Buffer.byteLength(content), more);
    const answer = await this.complete(uploadId, [await this.partId(uploadId, content)]);
    return answer.json.file.id;
  }

  async content(fileId: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.#root}/v1/files/${fileId}/content`, { headers: { authorization: 'Bearer test', ...headers } });
  }
}

export function createBody(bytes: number): Record<string, unknown> {
  return { filename: 'data.jsonl', purpose: 'assistants', bytes, mime_type: 'application/jsonl' };
}

export async function withTempDir<T>(callback: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'longhaul-local-api-'));
  try {
    return await callback(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export interface LocalApiUnderTest {
  readonly api: LocalApi;
  readonly client: ApiCaller;
  readonly dataDir: string;
}

/** A server on a port that the system picks, with a separate directory. Both are removed afterwards. */
export async function withLocalApi<T>(
  options: Partial<LocalApiOptions>,
  callback: (server: LocalApiUnderTest) => Promise<T>,
): Promise<T> {
  return withTempDir(async (dataDir) => {
    const api = await startLocalApi({ dataDir, ...options });
    try {
      return await callback({ api, client: new ApiCaller(api.url), dataDir });
    } finally {
      await api.close();
    }
  });
}

/** Waits until the condition holds, at most ten seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`timed out waiting until ${what}`);
    await sleep(10);
  }
}
