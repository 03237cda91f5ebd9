import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until, withLocalApi } from './with-local-api.ts';

const MiB = 1024 * 1024;

describe('POST /uploads/{id}/parts', () => {
  it('returns the Part', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(5);
      const { status, json } = await client.part(uploadId, 'hello');
      expect(status).toBe(200);
      expect(json).toEqual({
        id: expect.stringMatching(/^part_/),
        object: 'upload.part',
        created_at: expect.any(Number),
        upload_id: uploadId,
      });
    });
  });

  it('accepts a form field without a file name', async () => {
    await withLocalApi({}, async ({ client }) => {
      const form = new FormData();
      form.set('data', 'hello');
      const uploadId = await client.create(5);
      const part = await client.call('POST', `/v1/uploads/${uploadId}/parts`, { body: form });
      expect((await client.complete(uploadId, [part.json.id])).status).toBe(200);
    });
  });

  it('accepts a part of exactly the limit and rejects one byte more', async () => {
    await withLocalApi({ maxPartBytes: MiB }, async ({ client, api }) => {
      const uploadId = await client.create(4 * MiB);
      expect((await client.part(uploadId, new Uint8Array(MiB))).status).toBe(200);
      const refused = await client.part(uploadId, new Uint8Array(MiB + 1));
      expect([refused.status, refused.json.error.code]).toEqual([413, 'part_too_large']);
      expect(api.stats().uploads[0]?.partsReceived).toBe(1);
    });
  });

  it('rejects a part by its content-length before the body arrives', async () => {
    await withLocalApi({ maxPartBytes: MiB }, async ({ client, api }) => {
      const uploadId = await client.create(4 * MiB);
      const head =
        `POST /v1/uploads/${uploadId}/parts HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer k\r\n` +
        `content-type: multipart/form-data; boundary=b\r\ncontent-length: ${2 * MiB}\r\n\r\n`;
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(api.port, '127.0.0.1', () => socket.write(head));
        socket.once('error', reject).once('data', (data) => {
          resolve(data.toString());
          socket.destroy();
        });
      });
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
    });
  });

  it.each([
    ['a missing field', (_form: FormData) => undefined, 'data', 'missing_required_parameter'],
    ['an empty field', (form: FormData) => form.set('data', new Blob([]), 'x'), 'data', 'empty_part'],
    ['an unknown field', (form: FormData) => form.set('file', 'x'), 'file', 'unknown_parameter'],
    [
      'an extra field',
      (form: FormData) => {
        form.set('data', 'abc');
        form.set('more', 'x');
      },
      'more',
      'unknown_parameter',
    ],
    [
      'a repeated field',
      (form: FormData) => {
        form.append('data', 'abc');
        form.append('data', 'def');
      },
      'data',
      'invalid_value',
    ],
  ])('rejects %s and stores nothing', async (_, fill, param, code) => {
    await withLocalApi({}, async ({ client, api, dataDir }) => {
      const uploadId = await client.create(10);
      const form = new FormData();
      fill(form);
      const answer = await client.call('POST', `/v1/uploads/${uploadId}/parts`, { body: form });
      expect([answer.status, answer.json.error.param, answer.json.error.code]).toEqual([400, param, code]);
      expect(api.stats().uploads[0]?.partsReceived).toBe(0);
      expect(await readdir(join(dataDir, 'incoming'))).toEqual([]);
    });
  });

  it.each([
    ['another content type', 'application/octet-stream', 415],
    ['a missing boundary', 'multipart/form-data', 400],
    ['a boundary that is not in the body', 'multipart/form-data; boundary=zzz', 400],
  ])('rejects %s', async (_, contentType, status) => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(10);
      const options = { body: '--b\r\n', headers: { 'content-type': contentType } };
      expect((await client.call('POST', `/v1/uploads/${uploadId}/parts`, options)).status).toBe(status);
    });
  });

  it('rejects a body that ends before its closing boundary, and stores nothing', async () => {
    await withLocalApi({}, async ({ client, api, dataDir }) => {
      const uploadId = await client.create(10);
      const answer = await client.call('POST', `/v1/uploads/${uploadId}/parts`, {
        body: '--b\r\ncontent-disposition: form-data; name="data"; filename="x"\r\n\r\nhello',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
      });
      expect([answer.status, answer.json.error.code]).toEqual([400, 'invalid_multipart']);
      expect(api.stats().uploads[0]?.partsReceived).toBe(0);
      expect(await readdir(join(dataDir, 'incoming'))).toEqual([]);
    });
  });

  it('returns 400 for a part that exceeds the size of the Upload (strictSums)', async () => {
    await withLocalApi({ strictSums: true }, async ({ client }) => {
      const uploadId = await client.create(8);
      await client.partId(uploadId, 'hello');
      const again = await client.part(uploadId, 'hello');
      expect([again.status, again.json.error.code]).toEqual([400, 'bytes_exceeded']);
      expect((await client.part(uploadId, '123')).status).toBe(200);
    });
  });

  it('rejects a part while it is still being sent, and accepts the next part', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(10);
      const refused = await client.part(uploadId, new Uint8Array(8 * MiB));
      expect([refused.status, refused.json.error.code]).toEqual([400, 'bytes_exceeded']);
      expect((await client.part(uploadId, 'hello')).status).toBe(200);
    });
  });

  it('accepts one of two concurrent parts that together are too large (strictSums)', async () => {
    await withLocalApi({ strictSums: true }, async ({ client }) => {
      const uploadId = await client.create(2 * MiB);
      const answers = await Promise.all([1, 2].map(() => client.part(uploadId, new Uint8Array(2 * MiB))));
      expect(answers.map((answer) => answer.status).toSorted((one, other) => one - other)).toEqual([200, 400]);
    });
  });

  it('counts only the parts that the completion lists, unless strictSums is set', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(5);
      await client.partId(uploadId, 'hello');
      const second = await client.partId(uploadId, 'world');
      const completed = await client.complete(uploadId, [second]);
      expect(await (await client.content(completed.json.file.id)).text()).toBe('world');
    });
  });

  it('returns 404 for an unknown Upload', async () => {
    await withLocalApi({}, async ({ client }) => {
      const answer = await client.part('upload_none', 'x');
      expect([answer.status, answer.json.error.code]).toEqual([404, 'upload_not_found']);
    });
  });

  it('rejects a part after completion or cancellation', async () => {
    await withLocalApi({}, async ({ client }) => {
      const completed = await client.create(1);
      await client.complete(completed, [await client.partId(completed, 'x')]);
      const cancelled = await client.create(1);
      await client.call('POST', `/v1/uploads/${cancelled}/cancel`);
      for (const [uploadId, code] of [
        [completed, 'upload_completed'],
        [cancelled, 'upload_cancelled'],
      ] as const) {
        const answer = await client.part(uploadId, 'x');
        expect([answer.status, answer.json.error.code]).toEqual([400, code]);
      }
    });
  });

  it('stores nothing of a part whose connection breaks', async () => {
    await withLocalApi({}, async ({ client, api, dataDir }) => {
      const uploadId = await client.create(4 * MiB);
      const socket = connect(api.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        `POST /v1/uploads/${uploadId}/parts HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer k\r\n` +
          `content-type: multipart/form-data; boundary=b\r\ncontent-length: ${3 * MiB}\r\n\r\n` +
          '--b\r\ncontent-disposition: form-data; name="data"; filename="x"\r\n\r\n',
      );
      socket.write(Buffer.alloc(MiB));
      await until('data arrived', () => (api.stats().uploads[0]?.bytesReceived ?? 0) >= MiB / 2);
      expect(await readdir(join(dataDir, 'incoming'))).toHaveLength(1);
      socket.destroy();
      await until('the file is gone', async () => (await readdir(join(dataDir, 'incoming'))).length === 0);
      await until('the request is over', () => api.stats().requests['part']?.['aborted'] === 1);
      expect(api.stats().uploads[0]).toMatchObject({ status: 'pending', partsBegun: 1, partsReceived: 0 });
    });
  });

  it('stores bytes that look like boundaries without a change', async () => {
    await withLocalApi({}, async ({ client }) => {
      const content = '\r\n--b\r\n\r\n--\r\n----formdata\r\n--'.repeat(20_000);
      const fileId = await client.file(content);
      expect(await (await client.content(fileId)).text()).toBe(content);
    });
  });
});
