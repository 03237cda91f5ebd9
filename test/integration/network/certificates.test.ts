import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { DestinationProfile } from '../../../src/destinations/profile.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { withCaptureServer, type CaptureServerOptions } from '../../support/capture-server.ts';
import { withProxy } from '../../support/proxy-server.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

const pathOf = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));
const files = { cert: pathOf('localhost.crt'), key: pathOf('localhost.key') };
const tls = { cert: readFileSync(files.cert), key: readFileSync(files.key) };
/** The certificate is its own authority, and identifies clients too. */
const mutual = { ...tls, requestCert: true, rejectUnauthorized: true, ca: tls.cert };
const client = { caFile: files.cert, clientCertFile: files.cert, clientKeyFile: files.key };

const emptyList: CaptureServerOptions['reply'] = () => ({ body: { data: [] } });

async function list(baseUrl: string, profile: Partial<DestinationProfile>): Promise<void> {
  const uploads = createDestination({ name: 'test', apiKey: 'sk-test', baseUrl, ...profile });
  try {
    await uploads.files.list();
  } finally {
    await uploads.close();
  }
}

describe('certificates of a destination', () => {
  it('are loaded from the CA file, with and without a proxy', () =>
    withCaptureServer({ tls, reply: emptyList }, async ({ baseUrl }) => {
      await list(baseUrl, { caFile: files.cert });
      await expect(list(baseUrl, {})).rejects.toThrow('NODE_EXTRA_CA_CERTS');
      await withProxy({}, async ({ url: proxy, requests }) => {
        await list(baseUrl, { caFile: files.cert, proxy });
        await expect(list(baseUrl, { proxy })).rejects.toThrow('NODE_EXTRA_CA_CERTS');
        expect(requests.length).toBe(2);
      });
    }));

  it('identify the client, with and without a proxy', () =>
    withCaptureServer({ tls: mutual, reply: emptyList }, async ({ baseUrl }) => {
      await list(baseUrl, client);
      await expect(list(baseUrl, { caFile: files.cert })).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
      await withProxy({}, ({ url: proxy }) => list(baseUrl, { ...client, proxy }));
    }));

  it('are read again when a file is replaced', () =>
    withTempDir((dir) =>
      withCaptureServer({ tls, reply: emptyList }, async ({ baseUrl }) => {
        const caFile = join(dir, 'ca.pem');
        await writeFile(caFile, rootCertificates[0] as string);
        const uploads = createDestination({ name: 'test', apiKey: 'sk-test', baseUrl, caFile });
        await expect(uploads.files.list()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
        await copyFile(files.cert, join(dir, 'new'));
        await rename(join(dir, 'new'), caFile);
        const isTrusted = () =>
          uploads.files.list().then(
            () => true,
            () => false,
          );
        await until(isTrusted, 'the new certificate to be trusted', 5000);
        await uploads.close();
      }),
    ));

  it.each([
    [{ caFile: '/no/such/ca.pem' }, 'caFile /no/such/ca.pem does not exist'],
    [{ caFile: files.key.replace('.key', '.none') }, 'does not exist'],
    [{ ...client, clientKeyFile: files.cert }, `clientCertFile ${files.cert} cannot be used`],
  ])('cause an error that names the file if they cannot be used: %j', (profile, message) =>
    withCaptureServer({ tls, reply: emptyList }, async ({ baseUrl }) => {
      await expect(list(baseUrl, profile)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      await expect(list(baseUrl, profile)).rejects.toThrow(message);
    }),
  );

  it('are trusted in addition to those of NODE_EXTRA_CA_CERTS', async () => {
    const script = `import { trustedRoots } from './src/network/tls-files.ts'; console.log(trustedRoots().join('\\n'));`;
    const env = { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: files.cert };
    const run = promisify(execFile);
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const { stdout } = await run(process.execPath, args, { env, maxBuffer: 16 * 1024 * 1024 });
    const [, ...lines] = tls.cert.toString().trim().split('\n');
    expect(stdout).toContain(lines[0]);
    expect(stdout).toContain((rootCertificates[0] as string).split('\n')[1]);
  });
});

describe.each(['s3', 'http'] as const)('certificates of a source of type %s', (type) => {
  it('are loaded from its settings, with and without a proxy', async () => {
    const server = createServer(mutual, (_, response) => {
      response.writeHead(206, { etag: '"v1"', 'content-length': 1, 'content-range': 'bytes 0-0/1' }).end('x');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
      const stat = async (network: Partial<typeof client> & { proxy?: string }) => {
        const sources = new Sources({
          s3: { default: { endpoint: url, region: 'us-east-1', credentials, ...network } },
          http: { allowPrivate: ['127.0.0.1'], ...network },
        });
        try {
          const s3 = { type: 's3', bucket: 'training', key: 'a' } as const;
          const reader = await sources.open(type === 's3' ? s3 : { type: 'http', url: `${url}/a` });
          return await reader.stat();
        } finally {
          await sources.close();
        }
      };
      expect(await stat(client)).toMatchObject({ sizeBytes: 1 });
      await withProxy({}, async ({ url: proxy, requests }) => {
        expect(await stat({ ...client, proxy })).toMatchObject({ sizeBytes: 1 });
        expect(requests.length).toBe(1);
      });
      await expect(stat({ caFile: files.cert })).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
      await expect(stat({})).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
