import { describe, expect, it } from 'vitest';
import { azureStyle, openAiStyle } from '../../../src/local-api/style.ts';
import { withPartType } from '../../../src/local-api/receive-part.ts';
import { entraToken } from '../../support/entra-token.ts';

describe('openAiStyle', () => {
  it('has the routes under /v1 only', () => {
    const routeOf = (path: string) => openAiStyle.routeOf(path, new URLSearchParams());
    expect(routeOf('/v1/uploads')).toBe('/uploads');
    for (const path of ['/uploads', '/v1', '/v2/files', '/openai/v1/uploads', '/'])
      expect(routeOf(path)).toBeUndefined();
  });
});

describe('azureStyle', () => {
  it.each([
    ['/openai/v1/uploads', '', '/uploads'],
    ['/openai/v1/files/file-1', 'api-version=preview', '/files/file-1'],
    ['/openai/uploads', 'api-version=2025-04-01-preview', '/uploads'],
    ['/openai/files', 'api-version=2024-10-21&limit=1', '/files'],
  ])('accepts %s?%s', (path, query, route) => {
    expect(azureStyle.routeOf(path, new URLSearchParams(query))).toBe(route);
  });

  it('rejects paths without a version or with two, of a project and of OpenAI', () => {
    const routeOf = (path: string, query = '') => azureStyle.routeOf(path, new URLSearchParams(query));
    expect(() => routeOf('/openai/uploads')).toThrow('Resource not found');
    expect(() => routeOf('/openai/uploads', 'api-version=v1')).toThrow('Resource not found');
    expect(() => routeOf('/openai/v1/uploads', 'api-version=2024-10-21')).toThrow('API version not supported');
    for (const path of ['/v1/uploads', '/uploads', '/api/projects/p/openai/v1/uploads', '/openai'])
      expect(routeOf(path)).toBeUndefined();
  });

  it('accepts a key only in api-key, and a live token only as a bearer token', () => {
    const problem = (headers: Record<string, string>, accepted?: string) =>
      azureStyle.keyProblem(headers, accepted)?.status;
    const token = entraToken(60);
    expect(problem({ 'api-key': 'k' }, 'k')).toBeUndefined();
    expect(problem({ 'api-key': 'k' })).toBeUndefined();
    expect(problem({ authorization: `Bearer ${token}` }, 'k')).toBeUndefined();
    const rejected: Record<string, string>[] = [
      {},
      { 'api-key': '' },
      { 'api-key': 'other' },
      { 'api-key': token },
      { authorization: 'Bearer k' },
      { authorization: `Bearer ${entraToken(-1)}` },
      { 'api-key': 'k', authorization: 'Bearer k' },
    ];
    for (const headers of rejected) expect(problem(headers, 'k')).toBe(401);
  });

  it('returns errors in the format of Azure', () => {
    expect(azureStyle.errorBody(401, 'no', {})).toEqual({ statusCode: 401, message: 'no' });
    expect(azureStyle.errorBody(404, 'no', { code: 'not_found' })).toEqual({ error: { code: '404', message: 'no' } });
    expect(azureStyle.errorBody(400, 'no', { code: 'upload_expired' })).toEqual({
      error: { code: 'upload_expired', message: 'no' },
    });
  });
});

describe('withPartType', () => {
  const read = async (body: string, chunkBytes: number) => {
    async function* chunks() {
      for (let at = 0; at < body.length; at += chunkBytes) yield Buffer.from(body.slice(at, at + chunkBytes));
    }
    let text = '';
    for await (const chunk of withPartType(chunks())) text += chunk.toString();
    return text;
  };
  const body = (headers: string) =>
    `--b\r\nContent-Disposition: form-data; name="data"\r\n${headers}\r\ncontent-type: x\r\n--b--`;

  it.each([1, 7, 1000])('preserves a field with a type, in chunks of %i bytes', async (chunkBytes) => {
    const typed = body('Content-Type: application/octet-stream\r\n');
    expect(await read(typed, chunkBytes)).toBe(typed);
    await expect(read(body(''), chunkBytes)).rejects.toThrow("The field 'data' must have a Content-Type.");
  });
});
