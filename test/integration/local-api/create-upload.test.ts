import { describe, expect, it } from 'vitest';
import { createBody, withLocalApi } from './with-local-api.ts';

describe('POST /uploads', () => {
  it('returns a pending Upload that expires an hour after its creation', async () => {
    await withLocalApi({}, async ({ client }) => {
      const { status, json } = await client.call('POST', '/v1/uploads', { json: createBody(10) });
      expect(status).toBe(200);
      expect(json).toEqual({
        id: expect.stringMatching(/^upload_/),
        object: 'upload',
        bytes: 10,
        created_at: expect.any(Number),
        filename: 'data.jsonl',
        purpose: 'assistants',
        status: 'pending',
        expires_at: json.created_at + 3600,
      });
    });
  });

  it('applies expires_after to the File, not to the Upload', async () => {
    await withLocalApi({}, async ({ client }) => {
      const json = { ...createBody(10), expires_after: { anchor: 'created_at', seconds: 86_400 } };
      const answer = await client.call('POST', '/v1/uploads', { json });
      expect(answer.json.expires_at).toBe(answer.json.created_at + 3600);
    });
  });

  it.each([
    ['a missing filename', { filename: undefined }, 'filename', 'missing_required_parameter'],
    ['a missing purpose', { purpose: undefined }, 'purpose', 'missing_required_parameter'],
    ['missing bytes', { bytes: undefined }, 'bytes', 'missing_required_parameter'],
    ['a missing mime_type', { mime_type: undefined }, 'mime_type', 'missing_required_parameter'],
    ['an empty filename', { filename: '' }, 'filename', 'invalid_value'],
    ['a filename that is a number', { filename: 1 }, 'filename', 'invalid_value'],
    ['an unknown property', { colour: 'red' }, 'colour', 'unknown_parameter'],
    ['an unknown purpose', { purpose: 'fun' }, 'purpose', 'invalid_value'],
    ['a purpose that only /files supports', { purpose: 'user_data' }, 'purpose', 'invalid_value'],
    ['zero bytes', { bytes: 0 }, 'bytes', 'invalid_value'],
    ['negative bytes', { bytes: -1 }, 'bytes', 'invalid_value'],
    ['fractional bytes', { bytes: 1.5 }, 'bytes', 'invalid_value'],
    ['bytes as a string', { bytes: '10' }, 'bytes', 'invalid_value'],
    ['more than 8 GiB', { bytes: 8 * 1024 ** 3 + 1 }, 'bytes', 'invalid_value'],
    [
      'a File lifetime of less than an hour',
      { expires_after: { anchor: 'created_at', seconds: 3599 } },
      'expires_after.seconds',
      'invalid_value',
    ],
    [
      'a File lifetime of more than 30 days',
      { expires_after: { anchor: 'created_at', seconds: 2_592_001 } },
      'expires_after.seconds',
      'invalid_value',
    ],
    ['another anchor', { expires_after: { anchor: 'now', seconds: 3600 } }, 'expires_after.anchor', 'invalid_value'],
    [
      'an unknown property in expires_after',
      { expires_after: { anchor: 'created_at', seconds: 3600, x: 1 } },
      'expires_after.x',
      'unknown_parameter',
    ],
  ])('rejects %s', async (_, change, param, code) => {
    await withLocalApi({}, async ({ client }) => {
      const answer = await client.call('POST', '/v1/uploads', { json: { ...createBody(10), ...change } });
      expect(answer.status).toBe(400);
      expect(answer.json.error).toEqual({ message: expect.any(String), type: 'invalid_request_error', param, code });
    });
  });

  it('accepts exactly 8 GiB', async () => {
    await withLocalApi({}, async ({ client }) => {
      expect(await client.create(8 * 1024 ** 3)).toMatch(/^upload_/);
    });
  });

  it('accepts the purposes and the maximum size from its options', async () => {
    await withLocalApi({ purposes: ['user_data'], maxFileBytes: 5 }, async ({ client }) => {
      expect(await client.create(5, { purpose: 'user_data' })).toMatch(/^upload_/);
      const tooLarge = await client.call('POST', '/v1/uploads', { json: { ...createBody(6), purpose: 'user_data' } });
      expect(tooLarge.json.error.param).toBe('bytes');
    });
  });

  it('rejects a body or a content type that is not JSON', async () => {
    await withLocalApi({}, async ({ client }) => {
      const damaged = { body: '{', headers: { 'content-type': 'application/json' } };
      expect((await client.call('POST', '/v1/uploads', damaged)).json.error.code).toBe('invalid_json');
      const undeclared = { body: '{}', headers: { 'content-type': 'text/plain' } };
      expect((await client.call('POST', '/v1/uploads', undeclared)).status).toBe(415);
      expect((await client.call('POST', '/v1/uploads', { json: [] })).status).toBe(400);
    });
  });
});
