import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ApiError, AbortedError, ConnectionError, LonghaulError, StrangeAnswerError } from '../../../src/errors.ts';
import type { DestinationProfile } from '../../../src/destinations/profile.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { withCaptureServer, type CapturedRequest, type Reply } from '../../support/capture-server.ts';

const KEY = 'sk-canary-0123456789';
const file = { id: 'file-1', object: 'file', bytes: 3, created_at: 5, filename: 'a.jsonl', purpose: 'assistants' };
const facts = { bytes: 3, createdAt: 5, filename: 'a.jsonl', purpose: 'assistants' };
const upload = { id: 'upload_1', object: 'upload', created_at: 5, expires_at: 3605, status: 'pending' };

/** Runs one call against one answer, and gives what the server saw of it. */
async function exchange<T>(
  reply: Reply,
  call: (client: Destination) => Promise<T>,
  profile: Partial<DestinationProfile> = {},
): Promise<{ readonly result: T; readonly request: CapturedRequest }> {
  return withCaptureServer({ reply: () => reply }, async ({ baseUrl, requests }) => {
    const client = createDestination({ name: 'test', baseUrl, apiKey: KEY, ...profile });
    try {
      const result = await call(client);
      return { result, request: requests[0] as CapturedRequest };
    } finally {
      await client.close();
    }
  });
}

async function failure(reply: Reply, profile: Partial<DestinationProfile> = {}): Promise<LonghaulError> {
  const { result } = await exchange(
    reply,
    (client) =>
      client.files.retrieve('file-1').then(
        () => new Error('nothing was thrown'),
        (error: unknown) => error as Error,
      ),
    profile,
  );
  expect(result).toBeInstanceOf(LonghaulError);
  expect(inspect(result, { depth: Infinity, showHidden: true })).not.toContain(KEY);
  return result as LonghaulError;
}

describe('a destination client', () => {
  test('creates an Upload with the specified fields only, including the File lifetime', async () => {
    const fields = { filename: 'a.jsonl', purpose: 'assistants', bytes: 3, mimeType: 'application/jsonl' };
    const { result, request } = await exchange({ body: upload }, (client) =>
      client.open({ ...fields, fileExpiresAfterSeconds: 3600 }),
    );
    expect(result).toEqual({ uploadId: 'upload_1', createdAt: 5, expiresAt: 3605 });
    expect(request).toMatchObject({ method: 'POST', path: '/v1/uploads' });
    expect(request.headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'content-type': 'application/json' });
    expect(JSON.parse(request.body.toString())).toEqual({
      filename: 'a.jsonl',
      purpose: 'assistants',
      bytes: 3,
      mime_type: 'application/jsonl',
      expires_after: { anchor: 'created_at', seconds: 3600 },
    });
  });

  test('completes an Upload with JSON that contains the part IDs in order and the MD5', async () => {
    const { result, request } = await exchange({ body: { ...upload, status: 'completed', file } }, (client) =>
      client.complete('upload_1', { partIds: ['b', 'a'], md5: '00ff', file: facts }),
    );
    expect(result).toEqual({ id: 'file-1', bytes: 3, createdAt: 5, filename: 'a.jsonl', purpose: 'assistants' });
    expect(request.path).toBe('/v1/uploads/upload_1/complete');
    expect(JSON.parse(request.body.toString())).toEqual({ part_ids: ['b', 'a'], md5: '00ff' });
  });

  test('completes an Upload with a form if the destination requires it', async () => {
    const { request } = await exchange(
      { body: file },
      (client) => client.complete('upload_1', { partIds: ['b', 'a'], md5: '00ff', file: facts }),
      { completeEncoding: 'form' },
    );
    expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(request.body.toString()).toBe('part_ids=b&part_ids=a&md5=00ff');
  });

  test('cancels an Upload and deletes a File', async () => {
    const cancel = await exchange({ body: { ...upload, status: 'cancelled' } }, (client) => client.cancel('upload_1'));
    expect(cancel.request).toMatchObject({ method: 'POST', path: '/v1/uploads/upload_1/cancel' });
    expect(cancel.request.body.byteLength).toBe(0);
    const remove = await exchange({ body: { id: 'file-1', deleted: true } }, (client) => client.files.remove('file-1'));
    expect(remove.request).toMatchObject({ method: 'DELETE', path: '/v1/files/file-1' });
  });

  test('lists Files by a query, and returns the start of the next page', async () => {
    const { result, request } = await exchange(
      { body: { object: 'list', data: [{ ...file, expires_at: null, status: 'processed' }], has_more: true } },
      (client) => client.files.list({ purpose: 'assistants', order: 'desc', limit: 10, after: 'file-0' }),
    );
    expect(request.path).toBe('/v1/files?purpose=assistants&after=file-0&limit=10&order=desc');
    expect(result).toMatchObject({
      hasMore: true,
      nextAfter: 'file-1',
      files: [{ id: 'file-1', status: 'processed' }],
    });
  });

  test('sends the key header and the query of Azure, and encodes IDs in paths', async () => {
    const { request } = await exchange({ body: file }, (client) => client.files.retrieve('file/1'), {
      authHeader: 'api-key',
      query: { 'api-version': '2025-03-01' },
      headers: { 'X-Team': 'data' },
    });
    expect(request.path).toBe('/v1/files/file%2F1?api-version=2025-03-01');
    expect(request.headers).toMatchObject({ 'api-key': KEY, 'x-team': 'data' });
    expect(request.headers['authorization']).toBeUndefined();
  });
});

describe('a deletion that the service does not confirm', () => {
  const missing = { status: 404, body: { error: { message: 'No such File object' } } };

  async function deleteWith(deletion: Reply, retrieval: Reply): Promise<readonly string[]> {
    const reply = ({ method }: CapturedRequest) => (method === 'DELETE' ? deletion : retrieval);
    return withCaptureServer({ reply }, async ({ baseUrl, requests }) => {
      const client = createDestination({ name: 'test', baseUrl, apiKey: KEY });
      try {
        await client.files.remove('file-1');
        return requests.map(({ method }) => method);
      } finally {
        await client.close();
      }
    });
  }

  test.each<[string, Reply]>([
    ['a 204', { status: 204 }],
    ['an HTML page', { body: '<html>deleted</html>' }],
    ['another ID', { body: { id: 'file-2', deleted: true } }],
    ['"deleted": false', { body: { id: 'file-1', deleted: false } }],
  ])('is checked if the service returns %s, and fails if the File still exists', async (_name, deletion) => {
    expect(await deleteWith(deletion, missing)).toEqual(['DELETE', 'GET']);
    await expect(deleteWith(deletion, { body: file })).rejects.toThrow(/did not confirm the deletion of file file-1/);
  });

  test('fails with the error of the check if the check fails', async () => {
    await expect(deleteWith({ status: 204 }, { status: 503 })).rejects.toThrow(ApiError);
  });
});

describe('a response of the service', () => {
  test.each<[string, Reply]>([
    ['a truncated body', { body: '{"id": "file-1", "by' }],
    ['an HTML page', { body: '<html>Welcome</html>' }],
    ['an empty body', { body: '' }],
    ['an invalid property', { body: { ...file, bytes: 'three' } }],
    ['a body over the size limit', { body: { ...file, padding: 'x'.repeat(2 * 1024 * 1024) } }],
  ])('with status 200 and %s is a retryable StrangeAnswerError', async (_name, reply) => {
    const error = await failure(reply);
    expect(error).toBeInstanceOf(StrangeAnswerError);
    expect(error.retryable).toBe(true);
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ returned 200 with .* while retrieving file file-1$/);
  });

  test('with a completed Upload without a File is a StrangeAnswerError', async () => {
    const bare = { ...file, ...upload, status: 'completed', id: 'upload_1' };
    await exchange({ body: bare }, (client) =>
      expect(client.complete('upload_1', { partIds: ['a'], file: facts })).rejects.toThrow(StrangeAnswerError),
    );
  });

  test('with a File without a size leads to the size of its parts', async () => {
    for (const bytes of [0, null]) {
      const body = { ...upload, status: 'completed', file: { ...file, bytes } };
      const { result } = await exchange({ body }, (client) =>
        client.complete('upload_1', { partIds: ['a'], file: facts }),
      );
      expect(result).toMatchObject({ id: 'file-1', bytes: 3 });
    }
  });

  test.each([400, 401, 403, 404, 408, 409, 410, 413, 422, 425, 429, 500, 502, 503, 504])(
    'with status %i is an ApiError with the message of the service',
    async (status) => {
      const body = { error: { message: 'because', type: 't', param: 'p', code: 'c' } };
      const error = (await failure({ status, body, headers: { 'x-request-id': 'req_9' } })) as ApiError;
      expect(error).toBeInstanceOf(ApiError);
      expect(error.details).toMatchObject({ status, apiMessage: 'because', apiType: 't', apiParam: 'p', apiCode: 'c' });
      expect(error.retryable).toBe([408, 409, 425, 429].includes(status) || status >= 500);
      expect(error.message).toContain('because (request req_9)');
    },
  );

  test('with a redirect is an ApiError that names the target and the base URL', async () => {
    const error = (await failure({ status: 308, headers: { location: 'https://127.0.0.2/v1' } })) as ApiError;
    expect(error.details.status).toBe(308);
    expect(error.retryable).toBe(false);
    expect(error.message).toContain('https://127.0.0.2/v1');
    expect(error.message).toContain('base URL');
  });

  test('that contains the key is redacted, even if truncation would split the key', async () => {
    const long = `${'x'.repeat(190)} ${KEY} in the page`;
    const cut = { error: { message: `${'x'.repeat(990)} ${KEY}`, code: long } };
    for (const body of [{ error: { message: `wrong key ${KEY}`, code: KEY } }, cut, long, `<html>${KEY}</html>`]) {
      const error = await failure({ status: 401, body, headers: { 'x-request-id': KEY } });
      expect(inspect(error)).not.toContain('sk-canary');
    }
  });

  test('that is shorter than its content-length is a ConnectionError', async () => {
    await withCaptureServer(
      {
        onHead: (_head, socket) =>
          Boolean(socket.end('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"id": "file-1"', () => socket.destroy())),
      },
      async ({ baseUrl }) => {
        const client = createDestination({ name: 'test', baseUrl, apiKey: KEY });
        await expect(client.files.retrieve('file-1')).rejects.toThrow(ConnectionError);
        await client.close();
      },
    );
  });
});

describe('a download', () => {
  test('returns the content', async () => {
    await exchange({ body: 'abcdef' }, async (client) => {
      const chunks = await (await client.files.read('file-1')).toArray();
      expect(Buffer.concat(chunks as Buffer[]).toString()).toBe('abcdef');
    });
  });

  test('fails with an ApiError before any content if the service rejects it', async () => {
    await exchange({ status: 404, body: { error: { message: 'no such File' } } }, (client) =>
      expect(client.files.read('file-1')).rejects.toThrow('no such File'),
    );
  });

  test('fails with a typed error if the connection breaks or the caller aborts it', async () => {
    let sockets: { destroy(): void }[] = [];
    await withCaptureServer(
      {
        onHead: (_head, socket) => {
          sockets = [...sockets, socket];
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nabc');
          return true;
        },
      },
      async ({ baseUrl }) => {
        const client = createDestination({ name: 'test', baseUrl, apiKey: KEY });
        const broken = await client.files.read('file-1');
        sockets[0]?.destroy();
        await expect(broken.toArray()).rejects.toThrow(ConnectionError);

        const abort = new AbortController();
        const aborted = await client.files.read('file-1', { signal: abort.signal });
        abort.abort();
        await expect(aborted.toArray()).rejects.toThrow(AbortedError);

        // Never read, only thrown away.
        const unread = await client.files.read('file-1');
        unread.destroy();
        await client.close();
      },
    );
  });
});

test('a printed destination client shows no key and no header value', () => {
  const client = createDestination({
    name: 'test',
    baseUrl: 'http://127.0.0.1:9/v1',
    apiKey: KEY,
    headers: { 'x-proxy-token': 'canary-2' },
  });
  const shown = inspect(client, { depth: Infinity, showHidden: true }) + JSON.stringify(client);
  expect(shown).toContain('x-proxy-token');
  expect(shown).not.toContain('canary');
  return client.close();
});
