import type { PayloadCodec } from '@temporalio/common';
import { expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { startCodecServer, type CodecServer } from '../../../src/encryption/codec-server.ts';

const token = 'token-of-the-test';
const remote = 'https://temporal.example.com';

/** Turns the data around, and cannot decode "stuck". */
const codec: PayloadCodec = {
  encode: async (payloads) => {
    const text = Buffer.from(payloads[0]?.data ?? []).toString();
    if (text === 'no key') throw new ConfigError('the key file has no key');
    if (text === 'broken') throw new TypeError('secret detail');
    return payloads.map((payload) => ({ ...payload, data: turned(payload.data) }));
  },
  decode: async (payloads) => {
    if (payloads.some(({ data }) => Buffer.from(data ?? []).toString() === 'stuck')) throw new Error('secret detail');
    return payloads.map((payload) => ({ ...payload, data: turned(payload.data) }));
  },
};
const turned = (data: Uint8Array | null | undefined) => Buffer.from(data ?? []).toReversed();
const json = (...texts: string[]) =>
  JSON.stringify({
    payloads: texts.map((text) => ({ metadata: { encoding: btoa('test') }, data: btoa(text) })),
  });

let logged: string[] = [];

async function withServer(run: (server: CodecServer) => Promise<void>): Promise<void> {
  logged = [];
  const log = (line: string) => void logged.push(line);
  const server = await startCodecServer({ codec, host: '127.0.0.1', port: 0, token, origins: [remote], log });
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

it('the codec server listens on an IPv6 address in brackets', async () => {
  const server = await startCodecServer({ codec, host: '[::1]', port: 0, token, origins: [], log: () => {} });
  expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  await server.close();
});

it('the codec server accepts the token in the path or a header, and does not change undecodable payloads', () =>
  withServer(async ({ url }) => {
    const post = (path: string, headers = {}) =>
      fetch(`${url}${path}`, { method: 'POST', body: json('abc', 'stuck'), headers }).then((answer) => answer.text());
    expect(await post(`/${token}/decode`)).toBe(json('cba', 'stuck'));
    expect(await post(`/default/${token}/decode`, { authorization: 'Bearer of-the-ui' })).toBe(json('cba', 'stuck'));
    expect(await post('/decode', { authorization: `Bearer ${token}` })).toBe(json('cba', 'stuck'));
    expect(await post(`/${token}/encode`)).toBe(json('cba', 'kcuts'));
  }));

it('the codec server returns no payloads for a body without payloads, as of a query without arguments', () =>
  withServer(async ({ url }) => {
    const answer = await fetch(`${url}/${token}/encode`, { method: 'POST', body: '{}' });
    expect([answer.status, await answer.text()]).toEqual([200, json()]);
  }));

it('the codec server logs the cause if the codec fails, without the text of an unexpected error', () =>
  withServer(async ({ url }) => {
    for (const text of ['no key', 'broken']) {
      const answer = await fetch(`${url}/${token}/encode`, { method: 'POST', body: json(text) });
      expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringMatching(/key|secret/)]);
    }
    expect(logged).toEqual(['the codec failed: the key file has no key.', 'the codec failed: TypeError']);
  }));

it('the codec server rejects other requests in one sentence', () =>
  withServer(async ({ url }) => {
    const status = async (path: string, options: RequestInit = {}) => {
      const answer = await fetch(`${url}${path}`, { method: 'POST', body: json('abc'), ...options });
      expect(Object.keys((await answer.json()) as object)).toEqual(['message']);
      return answer.status;
    };
    expect(await status('/decode')).toBe(401);
    expect(await status('/wrong/decode', { headers: { authorization: 'Bearer wrong' } })).toBe(401);
    expect(await status(`/${token}/other`)).toBe(404);
    expect(await status(`/${token}/decode`, { method: 'PUT' })).toBe(405);
    for (const body of ['', 'null', '[]', '{"payloads":[{"data":"*"}]}', '{"payloads":{}}', '{"payloads":[null]}']) {
      expect(await status(`/${token}/decode`, { body }), body).toBe(400);
    }
    expect(await status(`/${token}/decode`, { body: Buffer.alloc(33 * 1024 ** 2) })).toBe(413);
    expect(await status(`/${token}/decode`, { headers: { origin: 'https://evil.example' } })).toBe(403);
  }));

it.each([
  ['http://localhost:8233', true],
  ['http://127.0.0.1:4000', true],
  [remote, true],
  ['http://localhost.evil.example', false],
  ['null', false],
])('the codec server permits the preflight request of a page of %s: %s', (origin, isPermitted) =>
  withServer(async ({ url }) => {
    const { status, headers } = await fetch(`${url}/${token}/decode`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-headers': 'x-namespace',
        'access-control-request-private-network': 'true',
      },
    });
    expect(status).toBe(isPermitted ? 204 : 403);
    expect(headers.get('access-control-allow-origin')).toBe(isPermitted ? origin : null);
    expect(headers.get('access-control-allow-headers')).toBe(isPermitted ? 'x-namespace' : null);
    expect(headers.get('access-control-allow-private-network')).toBe(isPermitted ? 'true' : null);
  }),
);
