import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until, withLocalApi, type ApiCaller } from './with-local-api.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** An Upload of `helloworld` with its two parts. */
async function helloWorld(client: ApiCaller): Promise<{ uploadId: string; partIds: [string, string] }> {
  const uploadId = await client.create(10);
  return { uploadId, partIds: [await client.partId(uploadId, 'hello'), await client.partId(uploadId, 'world')] };
}

function completeForm(client: ApiCaller, uploadId: string, form: string) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return client.call('POST', `/v1/uploads/${uploadId}/complete`, { body: form, headers });
}

describe('POST /uploads/{id}/complete', () => {
  it('returns the completed Upload and its File, whose content can be downloaded', async () => {
    await withLocalApi({}, async ({ client }) => {
      const { uploadId, partIds } = await helloWorld(client);
      const { status, json } = await client.complete(uploadId, partIds, md5('helloworld'));
      expect(status).toBe(200);
      expect(json).toMatchObject({ id: uploadId, object: 'upload', status: 'completed', bytes: 10 });
      expect(json.file).toEqual({
        id: expect.stringMatching(/^file-/),
        object: 'file',
        bytes: 10,
        created_at: expect.any(Number),
        filename: 'data.jsonl',
        purpose: 'assistants',
        status: 'processed',
      });
      expect(await (await client.content(json.file.id)).text()).toBe('helloworld');
    });
  });

  it('orders the parts by part_ids, not by arrival', async () => {
    await withLocalApi({}, async ({ client }) => {
      const { uploadId, partIds } = await helloWorld(client);
      const { json } = await client.complete(uploadId, partIds.toReversed());
      expect(await (await client.content(json.file.id)).text()).toBe('worldhello');
    });
  });

  it.each([
    ['repeated part_ids', (ids: string[]) => ids.map((id) => `part_ids=${id}`).join('&')],
    ['part_ids in brackets', (ids: string[]) => ids.map((id) => `part_ids%5B%5D=${id}`).join('&')],
    ['part_ids and an empty md5', (ids: string[]) => `md5=&${ids.map((id) => `part_ids=${id}`).join('&')}`],
    [
      'part_ids and an md5',
      (ids: string[]) => `${ids.map((id) => `part_ids=${id}`).join('&')}&md5=${md5('helloworld')}`,
    ],
  ])('accepts a form with %s', async (_, encode) => {
    await withLocalApi({}, async ({ client }) => {
      const { uploadId, partIds } = await helloWorld(client);
      const { json } = await completeForm(client, uploadId, encode(partIds));
      expect(await (await client.content(json.file.id)).text()).toBe('helloworld');
    });
  });

  it('rejects a form with an unknown property or without part_ids', async () => {
    await withLocalApi({}, async ({ client }) => {
      const { uploadId, partIds } = await helloWorld(client);
      const unknown = await completeForm(client, uploadId, `part_ids=${partIds[0]}&x=1`);
      expect([unknown.status, unknown.json.error.code]).toEqual([400, 'unknown_parameter']);
      expect((await completeForm(client, uploadId, 'part_ids=')).status).toBe(400);
    });
  });

  it.each([
    ['missing part_ids', {}, 'missing_required_parameter'],
    ['empty part_ids', { part_ids: [] }, 'invalid_value'],
    ['part_ids that are not a list', { part_ids: 'part_1' }, 'invalid_value'],
    ['an unknown part', { part_ids: ['part_none'] }, 'part_not_found'],
    ['an unknown property', { part_ids: ['x'], order: 'asc' }, 'unknown_parameter'],
    ['an upper-case MD5', { part_ids: ['x'], md5: md5('x').toUpperCase() }, 'invalid_value'],
  ])('rejects %s and leaves the Upload pending', async (_, json, code) => {
    await withLocalApi({}, async ({ client }) => {
      const { uploadId, partIds } = await helloWorld(client);
      const refused = await client.call('POST', `/v1/uploads/${uploadId}/complete`, { json });
      expect([refused.status, refused.json.error.code]).toEqual([400, code]);
      expect((await client.complete(uploadId, partIds)).status).toBe(200);
    });
  });

  it('rejects a part that is listed twice', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(10);
      const partId = await client.partId(uploadId, 'hello');
      expect((await client.complete(uploadId, [partId, partId])).json.error.code).toBe('duplicate_part');
    });
  });

  it('rejects a part of another Upload', async () => {
    await withLocalApi({}, async ({ client }) => {
      const other = await helloWorld(client);
      const { uploadId, partIds } = await helloWorld(client);
      const refused = await client.complete(uploadId, [partIds[0], other.partIds[1]]);
      expect(refused.json.error.code).toBe('part_not_found');
    });
  });

  it('rejects parts whose sum is not the size of the Upload', async () => {
    await withLocalApi({}, async ({ client }) => {
      const { uploadId, partIds } = await helloWorld(client);
      const refused = await client.complete(uploadId, partIds.slice(0, 1));
      expect([refused.status, refused.json.error.code]).toEqual([400, 'bytes_mismatch']);
    });
  });

  it('rejects an incorrect MD5, and accepts a retry with the correct MD5', async () => {
    await withLocalApi({}, async ({ client }) => {
      const { uploadId, partIds } = await helloWorld(client);
      const refused = await client.complete(uploadId, partIds, md5('other'));
      expect([refused.status, refused.json.error.code]).toEqual([400, 'md5_mismatch']);
      expect((await client.complete(uploadId, partIds, md5('helloworld'))).status).toBe(200);
    });
  });

  it('rejects a second completion and reports that the Upload is completed', async () => {
    await withLocalApi({}, async ({ client }) => {
      const { uploadId, partIds } = await helloWorld(client);
      await client.complete(uploadId, partIds);
      const again = await client.complete(uploadId, partIds);
      expect([again.status, again.json.error.code]).toEqual([400, 'upload_completed']);
      expect(again.json.error.message).toContain('is completed');
    });
  });

  it('creates one File for concurrent requests', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      const { uploadId, partIds } = await helloWorld(client);
      const answers = await Promise.all([1, 2, 3].map(() => client.complete(uploadId, partIds, md5('helloworld'))));
      const statuses = answers.map((answer) => answer.status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.every((status) => [200, 400, 409].includes(status))).toBe(true);
      expect((await client.call('GET', '/v1/files')).json.data).toHaveLength(1);
      expect(api.stats().totals.completions).toBe(1);
    });
  });

  it('deletes the parts that the request does not list', async () => {
    await withLocalApi({}, async ({ client, dataDir }) => {
      const uploadId = await client.create(5);
      await client.partId(uploadId, 'wrong');
      const named = await client.partId(uploadId, 'right');
      await client.complete(uploadId, [named]);
      const folder = join(dataDir, 'uploads', uploadId, 'parts');
      await until('only the named part is left', async () => (await readdir(folder)).join() === named);
    });
  });
});
