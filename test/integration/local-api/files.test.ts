import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UploadStore } from '../../../src/local-api/upload-store.ts';
import { withLocalApi, withTempDir } from './with-local-api.ts';

describe('GET /files', () => {
  it('lists Files of a purpose in pages, newest first', async () => {
    await withLocalApi({}, async ({ client }) => {
      const ids: string[] = [];
      for (const n of [0, 1, 2, 3])
        ids.push(await client.file(`content ${n}`, { purpose: n === 1 ? 'vision' : 'assistants' }));
      const [first, vision, third, last] = ids;
      const list = async (query: string) => (await client.call('GET', `/v1/files${query}`)).json;

      const all = await list('');
      expect(all).toMatchObject({ object: 'list', first_id: last, last_id: first, has_more: false });
      expect(all.data.map((file: any) => file.id)).toEqual([last, third, vision, first]);
      expect((await list('?purpose=vision')).data.map((file: any) => file.id)).toEqual([vision]);
      expect(await list('?purpose=batch')).toMatchObject({ data: [], first_id: null, last_id: null });
      const page = await list('?limit=2&order=asc');
      expect(page).toMatchObject({ first_id: first, last_id: vision, has_more: true });
      const next = await list(`?limit=2&order=asc&after=${page.last_id}`);
      expect(next).toMatchObject({ first_id: third, last_id: last, has_more: false });
    });
  });

  it('lists a new File only after the list lag, but returns it by ID immediately', async () => {
    await withLocalApi({ listLagRequests: 2 }, async ({ client, api }) => {
      const list = async () => (await client.call('GET', '/v1/files')).json.data.map((file: any) => file.id);
      const first = await client.file('first');
      expect((await client.call('GET', `/v1/files/${first}`)).status).toBe(200);
      expect([await list(), await list(), await list()]).toEqual([[], [], [first]]);
      api.configure({ listLagRequests: 0, listLagMs: 3_600_000 });
      await client.file('second');
      expect(await list()).toEqual([first]);
    });
  });

  it.each(['limit=0', 'limit=10001', 'limit=x', 'order=up', 'after=file-none'])('rejects %s', async (query) => {
    await withLocalApi({}, async ({ client }) => {
      const refused = await client.call('GET', `/v1/files?${query}`);
      expect([refused.status, refused.json.error.param]).toEqual([400, query.split('=')[0]]);
    });
  });
});

describe('GET /files/{id}/content', () => {
  it('returns a content-length and ranges across parts', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(11);
      const parts = [];
      for (const text of ['0123', '456', '789x']) parts.push(await client.partId(uploadId, text));
      const { json } = await client.complete(uploadId, parts);
      const whole = await client.content(json.file.id);
      expect([whole.status, whole.headers.get('content-length'), await whole.text()]).toEqual([
        200,
        '11',
        '0123456789x',
      ]);
      const range = await client.content(json.file.id, { range: 'bytes=3-7' });
      expect([range.status, range.headers.get('content-range'), await range.text()]).toEqual([
        206,
        'bytes 3-7/11',
        '34567',
      ]);
      const beyond = await client.content(json.file.id, { range: 'bytes=11-' });
      expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */11']);
      await beyond.text();
    });
  });
});

describe('a deleted File', () => {
  it('is removed from every route and from the disk', async () => {
    await withLocalApi({}, async ({ client, api, dataDir }) => {
      const fileId = await client.file('content');
      const deleted = await client.call('DELETE', `/v1/files/${fileId}`);
      expect(deleted.json).toEqual({ id: fileId, object: 'file', deleted: true });
      expect((await client.call('GET', `/v1/files/${fileId}`)).status).toBe(404);
      expect((await client.call('GET', `/v1/files/${fileId}/content`)).status).toBe(404);
      expect((await client.call('DELETE', `/v1/files/${fileId}`)).status).toBe(404);
      expect((await client.call('GET', '/v1/files')).json.data).toEqual([]);
      const uploadId = api.stats().uploads[0]?.id ?? '';
      expect(existsSync(join(dataDir, 'uploads', uploadId, 'parts'))).toBe(false);
    });
  });
});

describe('a File with a lifetime', () => {
  it('expires after its lifetime, counted from the creation of the File', async () => {
    await withTempDir(async (dataDir) => {
      let nowMs = 1_700_000_000_000;
      const store = await UploadStore.open(dataDir, { nowMs: () => nowMs });
      const life = { fileLifeSeconds: 3600, sessionLifeSeconds: 3600 };
      const { id } = await store.create({ bytes: 1, filename: 'a', purpose: 'assistants', mimeType: 'a/b', ...life });
      const upload = store.get(id);
      if (upload === undefined) throw new Error('the Upload is missing');
      nowMs += 1_000_000;
      const { file } = await store.complete(upload, []);
      expect(file?.expiresAt).toBe((file?.createdAt ?? 0) + 3600);
      nowMs += 3_599_000;
      expect(store.getFile(file?.id ?? '')).toBeDefined();
      nowMs += 1000;
      expect(store.getFile(file?.id ?? '')).toBeUndefined();
      expect(store.files()).toEqual([]);
      await store.settle();
    });
  });
});
