import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until, withLocalApi, type ApiCaller } from './with-local-api.ts';

const addFault = (client: ApiCaller, json: unknown) => client.call('POST', '/_admin/faults', { json });

describe('injected faults', () => {
  it('return a status and retry-after, as many times as requested', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(5);
      const spec = { route: 'part', kind: 'status', status: 429, retryAfterSeconds: 2, code: 'slow_down' };
      expect((await addFault(client, spec)).json).toMatchObject({ ...spec, fired: 0 });
      const refused = await client.part(uploadId, 'hello');
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2']);
      expect(refused.json.error).toMatchObject({ type: 'rate_limit_error', code: 'slow_down' });
      expect(refused.headers.get('x-request-id')).toMatch(/^req_/);
      expect((await client.part(uploadId, 'hello')).status).toBe(200);
      expect((await client.call('GET', '/_admin/faults')).json.faults).toMatchObject([{ fired: 1 }]);
    });
  });

  it('return a status after the request was processed if afterWork is set', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      const uploadId = await client.create(5);
      const part = await client.partId(uploadId, 'hello');
      api.faults.add({ route: 'complete', kind: 'status', status: 500, afterWork: true });
      const complete = () => client.call('POST', `/v1/uploads/${uploadId}/complete`, { json: { part_ids: [part] } });
      expect((await complete()).status).toBe(500);
      expect((await complete()).json.error.message).toMatch(/is completed/);
      expect(() => api.faults.add({ route: 'complete', kind: 'reset', afterWork: true })).toThrow(/only for the kinds/);
    });
  });

  it('return the given body', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      api.faults.add({ route: 'create', kind: 'status', status: 200, body: { strange: true } });
      expect((await client.call('POST', '/v1/uploads', { json: {} })).json).toEqual({ strange: true });
    });
  });

  it('return a status before the request body arrives if afterBytes is 0', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      const uploadId = await client.create(5);
      api.faults.add({ route: 'part', kind: 'status', status: 413, afterBytes: 0 });
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(api.port, '127.0.0.1');
        socket.write(
          `POST /v1/uploads/${uploadId}/parts HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer k\r\ncontent-length: 99\r\n\r\n`,
        );
        socket.once('error', reject).once('data', (data) => {
          resolve(data.toString());
          socket.destroy();
        });
      });
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
    });
  });

  it('reset the connection without processing the request', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      const uploadId = await client.create(4_000_000);
      api.faults.add({ route: 'part', kind: 'reset', afterBytes: 1_000_000 });
      await expect(client.part(uploadId, new Uint8Array(4_000_000))).rejects.toThrow();
      await until('the reset is counted', () => api.stats().requests['part']?.['reset'] === 1);
      expect(api.stats().uploads[0]).toMatchObject({ partsBegun: 1, partsReceived: 0 });
    });
  });

  it('lose the response after the request was processed', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      const uploadId = await client.create(5);
      const partId = await client.partId(uploadId, 'hello');
      api.faults.add({ route: 'complete', kind: 'lost-answer' });
      await expect(client.complete(uploadId, [partId])).rejects.toThrow();
      expect((await client.complete(uploadId, [partId])).json.error.code).toBe('upload_completed');
      expect((await client.call('GET', '/v1/files')).json.data).toHaveLength(1);
    });
  });

  it('stall until the client disconnects', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      api.faults.add({ route: 'list', kind: 'stall' });
      const leaving = new AbortController();
      const stalled = client.call('GET', '/v1/files', { signal: leaving.signal });
      await until('the fault struck', () => api.faults.list()[0]?.fired === 1);
      leaving.abort();
      await expect(stalled).rejects.toThrow();
      await until('the stall is over', () => api.stats().requests['list']?.['stall'] === 1);
    });
  });

  it('end a stall when the server closes', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      api.faults.add({ route: 'list', kind: 'stall' });
      const stalled = client.call('GET', '/v1/files').catch(() => 'broken');
      await until('the fault struck', () => api.faults.list()[0]?.fired === 1);
      await api.close();
      expect(await stalled).toBe('broken');
    });
  });

  it('expire the Upload of the request', async () => {
    await withLocalApi({}, async ({ client, api }) => {
      const uploadId = await client.create(5);
      api.faults.add({ route: 'part', kind: 'expire' });
      expect((await client.part(uploadId, 'hello')).json.error.code).toBe('upload_expired');
    });
  });

  it('are cleared through the admin route', async () => {
    await withLocalApi({}, async ({ client }) => {
      await addFault(client, { route: '*', kind: 'status', count: 9 });
      expect((await client.call('GET', '/v1/files')).status).toBe(503);
      await client.call('DELETE', '/_admin/faults');
      expect((await client.call('GET', '/v1/files')).status).toBe(200);
    });
  });

  it('are rejected with a 400 that names the property if they are invalid', async () => {
    await withLocalApi({}, async ({ client }) => {
      const refused = await addFault(client, { route: 'part', kind: 'explode' });
      expect([refused.status, refused.json.error.param]).toEqual([400, 'kind']);
      expect((await addFault(client, { route: 'create', kind: 'expire' })).json.error.param).toBe('route');
    });
  });
});
