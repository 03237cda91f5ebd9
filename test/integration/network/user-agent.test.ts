import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { serviceTime } from '../../../src/destinations/service-time.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { withCaptureServer } from '../../support/capture-server.ts';
import { memoryReader } from '../../support/memory-reader.ts';

const packageJson = new URL('../../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string };

/** The `User-Agent` of each request, by its method and path. */
async function agentsOf(use: (baseUrl: string) => Promise<unknown>): Promise<Readonly<Record<string, string>>> {
  return withCaptureServer({ reply: () => ({ status: 404, body: {} }) }, async ({ baseUrl, requests }) => {
    // The responses are errors; only the requests matter.
    await use(baseUrl).catch(() => {});
    return Object.fromEntries(
      requests.map(({ method, path, headers }) => [`${method} ${path.split('?')[0]}`, headers['user-agent'] ?? '']),
    );
  });
}

function withClient(headers: Readonly<Record<string, string>>, use: (client: Destination) => Promise<unknown>[]) {
  return async (baseUrl: string) => {
    const client = createDestination({ name: 'test', baseUrl, apiKey: 'sk-test', headers });
    await Promise.allSettled(use(client));
    await client.close();
  };
}

describe('the header User-Agent', () => {
  it('contains the version in calls to the Uploads API and in the check of its clock', async () => {
    const part = { reader: memoryReader(Buffer.from('abc')), partNumber: 1, offsetBytes: 0, sizeBytes: 3 };
    const agents = await agentsOf(async (baseUrl) => {
      await withClient({}, (client) => [
        client.open({ filename: 'a.jsonl', purpose: 'assistants', bytes: 3, mimeType: 'text/plain' }),
        client.send('upload_1', part),
        client.cancel('upload_1'),
        client.files.retrieve('file-1'),
      ])(baseUrl);
      await serviceTime({ baseUrl }, AbortSignal.timeout(10_000));
    });
    expect(Object.keys(agents).toSorted()).toEqual([
      'GET /v1/files/file-1',
      'HEAD /v1',
      'POST /v1/uploads',
      'POST /v1/uploads/upload_1/cancel',
      'POST /v1/uploads/upload_1/parts',
    ]);
    for (const agent of Object.values(agents)) expect(agent).toBe(`longhaul/${version} node/${process.versions.node}`);
  });

  it('contains the version in requests for HTTP and S3 sources', async () => {
    const agents = await agentsOf(async (baseUrl) => {
      const { origin } = new URL(baseUrl);
      const connection = {
        endpoint: origin,
        region: 'us-east-1',
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      };
      const sources = new Sources({ http: { allowPrivate: ['127.0.0.1'] }, s3: { default: connection } });
      const read = async (source: Parameters<Sources['open']>[0]) => (await sources.open(source)).stat();
      await Promise.allSettled([
        read({ type: 'http', url: `${origin}/a.jsonl` }),
        read({ type: 's3', bucket: 'bucket', key: 'a.jsonl' }),
      ]);
      await sources.close();
    });
    expect(agents['GET /a.jsonl']).toMatch(`longhaul/${version} `);
    expect(Object.keys(agents)).toHaveLength(2);
    for (const agent of Object.values(agents)) expect(agent).toMatch(new RegExp(`(^| )longhaul/${version}( |$)`));
  });

  it('is replaced if the headers of the destination contain it', async () => {
    const agents = await agentsOf(
      withClient({ 'User-Agent': 'nightly-export/2.1' }, (client) => [client.files.retrieve('file-1')]),
    );
    expect(agents).toEqual({ 'GET /v1/files/file-1': 'nightly-export/2.1' });
  });
});
