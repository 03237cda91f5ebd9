import { once } from 'node:events';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { startLocalApi } from '../../../src/local-api/index.ts';
import { startCli } from '../../support/cli.ts';
import { until } from '../../support/until.ts';
import { ApiCaller, withLocalApi, withTempDir } from './with-local-api.ts';

it.each(['::1', '[::1]'])('the local API listens on %s', (host) =>
  withTempDir(async (dataDir) => {
    const api = await startLocalApi({ dataDir, host, port: 0 });
    expect(api.url).toBe(`http://[::1]:${api.port}/v1`);
    expect((await fetch(`${api.url}/files`, { headers: { authorization: 'Bearer any' } })).status).toBe(200);
    await api.close();
  }),
);

describe('authorization', () => {
  it('requires a bearer key, and accepts any key if no key is configured', async () => {
    await withLocalApi({}, async ({ client }) => {
      expect((await client.call('GET', '/v1/files')).status).toBe(200);
      const refused = await client.call('GET', '/v1/files', { headers: { authorization: '' } });
      expect([refused.status, refused.json.error.code]).toEqual([401, 'missing_api_key']);
    });
  });

  it('accepts only the configured key', async () => {
    await withLocalApi({ apiKey: 'secret' }, async ({ client }) => {
      expect((await client.call('GET', '/v1/files')).json.error.code).toBe('invalid_api_key');
      const right = await client.call('GET', '/v1/files', { headers: { authorization: 'Bearer secret' } });
      expect(right.status).toBe(200);
    });
  });
});

describe('access control', () => {
  const rawStatus = async (port: number, host: string, path: string): Promise<number | undefined> => {
    const request = get({ host: '127.0.0.1', port, path, headers: { host, authorization: 'Bearer test' } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };

  it.each(['/v1/files', '/_admin/stats'])('accepts only a Host header that names this machine: %s', async (path) => {
    await withLocalApi({ allowedHosts: ['Local-Api'] }, async ({ api: { port } }) => {
      for (const host of ['127.0.0.1', `127.0.0.1:${port}`, 'localhost', 'LOCALHOST:80', '[::1]:1', 'local-api:4010']) {
        expect([host, await rawStatus(port, host, path)]).toEqual([host, 200]);
      }
      const others = [
        'evil.example',
        `evil.example:${port}`,
        '127.0.0.1.evil.example',
        'localhost.evil.example',
        '10.0.0.1',
      ];
      for (const host of others) expect([host, await rawStatus(port, host, path)]).toEqual([host, 421]);
    });
  });

  it('rejects requests without the key, also on admin routes', async () => {
    await withLocalApi({ apiKey: 'secret' }, async ({ api, client }) => {
      for (const [method, path] of [
        ['GET', '/_admin/stats'],
        ['POST', '/_admin/faults'],
        ['DELETE', '/_admin/faults'],
        ['PATCH', '/_admin/settings'],
      ] as const) {
        expect((await client.call(method, path)).json.error.code).toBe('invalid_api_key');
        expect((await client.call(method, path, { headers: { authorization: '' } })).status).toBe(401);
      }
      const right = await client.call('GET', '/_admin/stats', { headers: { authorization: 'Bearer secret' } });
      expect(right.json).toEqual(api.stats());
    });
  });
});

describe('the data directory', () => {
  const modes = async (directory: string): Promise<string[]> => {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const all = entries.map(async (entry) => {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      return `${entry.isDirectory() ? 'directory' : 'file'} ${(mode & 0o777).toString(8)}`;
    });
    return [...new Set(await Promise.all(all))].toSorted();
  };

  it('is readable by this user only, even if other users could read it before', async () => {
    await withTempDir(async (dir) => {
      const dataDir = join(dir, 'data');
      const fill = async () => {
        const api = await startLocalApi({ dataDir });
        const client = new ApiCaller(api.url);
        await client.file('hello');
        await client.partId(await client.create(5), 'he');
        await api.close();
      };
      await fill();
      expect(await modes(dir)).toEqual(['directory 700', 'file 600']);
      const entries = await readdir(dataDir, { recursive: true });
      for (const path of ['', ...entries]) await chmod(join(dataDir, path), 0o777);
      await fill();
      expect(await modes(dir)).toEqual(['directory 700', 'file 600']);
    });
  });

  it('keeps its mode if it has other content, and makes its own directories private', async () => {
    await withTempDir(async (dir) => {
      const dataDir = join(dir, 'shared');
      await mkdir(join(dataDir, 'of-others'), { recursive: true });
      await chmod(dataDir, 0o755);
      const api = await startLocalApi({ dataDir });
      await api.close();
      expect((await stat(dataDir)).mode & 0o777).toBe(0o755);
      expect((await stat(join(dataDir, 'uploads'))).mode & 0o777).toBe(0o700);
    });
  });
});

describe('routes', () => {
  it('do not return an Upload or its parts', async () => {
    await withLocalApi({}, async ({ client }) => {
      const uploadId = await client.create(5);
      expect((await client.call('GET', `/v1/uploads/${uploadId}`)).status).toBe(404);
      expect((await client.call('GET', `/v1/uploads/${uploadId}/parts`)).status).toBe(405);
    });
  });

  it('return API errors with a request ID for unknown paths and invalid methods', async () => {
    await withLocalApi({}, async ({ client }) => {
      const unknown = await client.call('GET', '/v1/models');
      expect(unknown.status).toBe(404);
      expect(unknown.json.error).toMatchObject({ type: 'invalid_request_error', param: null, code: 'not_found' });
      const wrong = await client.call('PUT', '/v1/files');
      expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
      expect((await client.call('GET', '//')).status).toBe(404);
      const ids = [unknown, wrong].map((answer) => answer.headers.get('x-request-id'));
      expect(new Set(ids).size).toBe(2);
    });
  });
});

describe('settings', () => {
  it('limit the total bandwidth of all parts', async () => {
    await withLocalApi({ bandwidthBytesPerSecond: 2_000_000 }, async ({ client }) => {
      const uploadId = await client.create(800_000);
      const startedMs = performance.now();
      await Promise.all([1, 2].map(() => client.partId(uploadId, new Uint8Array(400_000))));
      // 800 kB at 2 MB/s are 400 ms, less one chunk, which can pass immediately.
      expect(performance.now() - startedMs).toBeGreaterThan(300);
    });
  });

  it('can be changed while the server runs', async () => {
    await withLocalApi({ bandwidthBytesPerSecond: 1 }, async ({ client }) => {
      const json = {
        bandwidthBytesPerSecond: null,
        latencyMs: 60,
        listLagMs: 0,
        listLagRequests: 0,
        sessionLifeSeconds: 120,
      };
      expect((await client.call('PATCH', '/_admin/settings', { json })).json).toEqual(json);
      const startedMs = performance.now();
      const { json: upload } = await client.call('POST', '/v1/uploads', {
        json: { filename: 'a', purpose: 'assistants', bytes: 200_000, mime_type: 'a/b' },
      });
      expect(performance.now() - startedMs).toBeGreaterThan(55);
      expect(upload.expires_at - upload.created_at).toBe(120);
      expect((await client.part(upload.id, new Uint8Array(200_000))).status).toBe(200);
    });
  });

  it('are rejected with a 400 that names the setting if they are invalid', async () => {
    await withLocalApi({}, async ({ client }) => {
      const refused = await client.call('PATCH', '/_admin/settings', { json: { latencyMs: -1 } });
      expect([refused.status, refused.json.error.param]).toEqual([400, 'latencyMs']);
      expect((await client.call('PATCH', '/_admin/settings', { json: { speed: 1 } })).status).toBe(400);
      expect((await client.call('GET', '/_admin/nothing')).status).toBe(404);
      expect((await client.call('PUT', '/_admin/faults')).status).toBe(405);
    });
  });
});

describe('statistics', () => {
  it('count requests, responses and stored bytes', async () => {
    const lines: string[] = [];
    await withLocalApi({ log: (line) => lines.push(line) }, async ({ client, api }) => {
      await client.file('hello');
      const stats = (await client.call('GET', '/_admin/stats')).json;
      expect(stats).toEqual(api.stats());
      expect(stats.requests).toEqual({ create: { 200: 1 }, part: { 200: 1 }, complete: { 200: 1 } });
      expect(stats.uploads).toMatchObject([
        {
          filename: 'data.jsonl',
          status: 'completed',
          partsBegun: 1,
          partsReceived: 1,
          bytesReceived: 5,
          completions: 1,
        },
      ]);
      expect(stats.totals).toMatchObject({ requests: 3, uploads: 1, bytesStored: 5, completions: 1 });
    });
    expect(lines[0]).toMatch(/^POST \/v1\/uploads 200 \d+ ms$/);
  });
});

describe('a start of the local API', () => {
  it('reports a port that is in use, and the fix', async () => {
    await withLocalApi({}, async ({ api, dataDir }) => {
      const starting = startLocalApi({ dataDir: join(dataDir, 'other'), port: api.port });
      await expect(starting).rejects.toBeInstanceOf(ConfigError);
      await expect(starting).rejects.toThrow(new RegExp(`port ${api.port}: the address is in use.*another port`));
    });
  });

  it('rejects invalid options', async () => {
    await withTempDir(async (dataDir) => {
      const starting = startLocalApi({ dataDir, bandwidthBytesPerSecond: 0 });
      await expect(starting).rejects.toThrow(/bandwidthBytesPerSecond/);
    });
  });

  it('reports an unusable data directory, and releases the port', async () => {
    await withTempDir(async (dir) => {
      const dataDir = join(dir, 'file');
      await writeFile(dataDir, '');
      await expect(startLocalApi({ dataDir })).rejects.toThrow(/data directory.*another directory/);
    });
  });
});

/** Runs the callback with a server in a separate process, then kills that process with SIGKILL. */
async function withKilledServer<T>(dataDir: string, callback: (client: ApiCaller) => Promise<T>): Promise<T> {
  const server = startCli(['local-api', '--port', '0', '--data', dataDir], {});
  try {
    await until(() => server.said().includes('export'), 'the server');
    return await callback(new ApiCaller(/http:\S+\/v1/.exec(server.said())?.[0] ?? ''));
  } finally {
    server.child.kill('SIGKILL');
    await server.ended;
  }
}

describe('a server that restarts after SIGKILL', () => {
  it('has each Upload, part and File that it had confirmed', async () => {
    await withTempDir(async (dataDir) => {
      const before = await withKilledServer(dataDir, async (client) => {
        // Files are listed by their own age, not by that of their Uploads.
        const oldest = await client.create(6);
        const fileIds = [await client.file('first')];
        fileIds.push((await client.complete(oldest, [await client.partId(oldest, 'second')])).json.file.id);
        const pending = await client.create(10);
        const partIds = [await client.partId(pending, 'hello'), await client.partId(pending, 'world')];
        const cancelled = await client.create(1);
        await client.call('POST', `/v1/uploads/${cancelled}/cancel`);
        return { fileIds, pending, partIds, cancelled };
      });
      await writeFile(join(dataDir, 'incoming', 'half-a-part'), 'hel');

      const api = await startLocalApi({ dataDir, strictSums: true });
      try {
        const client = new ApiCaller(api.url);
        expect(await readdir(join(dataDir, 'incoming'))).toEqual([]);
        const list = (await client.call('GET', '/v1/files?order=asc')).json.data;
        expect(list.map((file: any) => file.id)).toEqual(before.fileIds);
        expect(await (await client.content(before.fileIds[1] ?? '')).text()).toBe('second');
        expect((await client.part(before.cancelled, 'x')).json.error.code).toBe('upload_cancelled');
        expect((await client.part(before.pending, 'x')).json.error.code).toBe('bytes_exceeded');
        const { json } = await client.complete(before.pending, before.partIds);
        expect(await (await client.content(json.file.id)).text()).toBe('helloworld');
      } finally {
        await api.close();
      }
    });
  });
});
