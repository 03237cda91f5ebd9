import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until, withLocalApi } from './with-local-api.ts';

describe('POST /uploads/{id}/cancel', () => {
  it('returns the cancelled Upload and deletes its parts from the disk', async () => {
    await withLocalApi({}, async ({ client, dataDir }) => {
      const uploadId = await client.create(10);
      await client.partId(uploadId, 'hello');
      const { status, json } = await client.call('POST', `/v1/uploads/${uploadId}/cancel`);
      expect([status, json.id, json.status]).toEqual([200, uploadId, 'cancelled']);
      await until('the parts are gone', () => !existsSync(join(dataDir, 'uploads', uploadId, 'parts')));
    });
  });

  it('returns 400 for a cancelled or completed Upload, and 404 for an unknown Upload', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(10);
      await client.call('POST', `/v1/uploads/${uploadId}/cancel`);
      const again = await client.call('POST', `/v1/uploads/${uploadId}/cancel`);
      expect([again.status, again.json.error.code]).toEqual([400, 'upload_cancelled']);
      const completed = await client.create(1);
      await client.complete(completed, [await client.partId(completed, 'x')]);
      const late = await client.call('POST', `/v1/uploads/${completed}/cancel`);
      expect([late.status, late.json.error.code]).toEqual([400, 'upload_completed']);
      expect((await client.call('POST', '/v1/uploads/upload_none/cancel')).status).toBe(404);
    });
  });

  it('rejects the completion of a cancelled Upload', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(1);
      const partId = await client.partId(uploadId, 'x');
      await client.call('POST', `/v1/uploads/${uploadId}/cancel`);
      const refused = await client.complete(uploadId, [partId]);
      expect([refused.status, refused.json.error.code]).toEqual([400, 'upload_cancelled']);
    });
  });
});

describe('an Upload', () => {
  it('rejects parts, completion and cancellation after it expires', async () => {
    await withLocalApi({ sessionLifeSeconds: 1 }, async ({ client, api }) => {
      const uploadId = await client.create(10);
      await until('the Upload is expired', () => api.stats().uploads[0]?.status === 'expired');
      const answers = [
        await client.part(uploadId, 'x'),
        await client.complete(uploadId, ['part_1']),
        await client.call('POST', `/v1/uploads/${uploadId}/cancel`),
      ];
      for (const answer of answers) expect([answer.status, answer.json.error.code]).toEqual([404, 'upload_expired']);
    });
  });

  it('can be expired through the admin route', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(10);
      const expired = await client.call('POST', `/_admin/uploads/${uploadId}/expire`);
      expect([expired.status, expired.json.status]).toEqual([200, 'expired']);
      expect((await client.part(uploadId, 'x')).status).toBe(404);
      expect((await client.call('POST', '/_admin/uploads/upload_none/expire')).status).toBe(404);
    });
  });
});
