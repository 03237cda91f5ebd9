import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { diagnoseTemporal } from '../../../../src/cli/checks/check-temporal.ts';
import type { TemporalConfig } from '../../../../src/config/config.ts';
import { freePort } from '../../../support/free-port.ts';

const fileOf = (name: string) => readFileSync(fileURLToPath(new URL(`../../../support/tls/${name}`, import.meta.url)));
const [key, cert] = [fileOf('localhost.key'), fileOf('localhost.crt')];
const late = new Error('Failed to connect before the deadline');

type Tls = TemporalConfig['connectionOptions']['tls'];

async function diagnosisOf(server: Server | undefined, tls?: Tls): Promise<string> {
  server?.listen(0, '127.0.0.1');
  if (server) await once(server, 'listening');
  const sockets = new Set<{ destroy(): void }>();
  server?.on('connection', (socket) => sockets.add(socket));
  const port = server ? (server.address() as AddressInfo).port : await freePort();
  const address = `127.0.0.1:${port}`;
  try {
    const { problem, fix } = await diagnoseTemporal(
      { address, connectionOptions: { address, ...(tls ? { tls } : {}) } },
      late,
    );
    return `${problem}. ${fix}.`;
  } finally {
    for (const socket of sockets) socket.destroy();
    server?.close();
  }
}

const plain = () => createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('not TLS')));
const withTls = () => createSecureServer({ key, cert }).on('sessionError', () => {});
const mutual = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
  createSecureServer({ key, cert, ca: cert, requestCert: true, rejectUnauthorized: true, maxVersion });
const trusting = { serverRootCACertificate: cert };

describe('diagnoseTemporal', () => {
  it.each<[string, () => Server | undefined, Tls, RegExp]>([
    ['no server', () => undefined, undefined, /^connection refused \(ECONNREFUSED\)\. Check TEMPORAL_ADDRESS/],
    ['TLS against a plain server', plain, true, /^the server does not use TLS, and .*Set TEMPORAL_TLS=false/],
    ['TLS against an HTTP server', () => createHttpServer(), true, /^the server does not use TLS/],
    ['no TLS against a server with TLS', withTls, undefined, /^the server requires TLS, .* Set TEMPORAL_TLS=true\.$/],
    ['no TLS against mutual TLS', () => mutual('TLSv1.2'), undefined, /^the server requires TLS/],
    ['an unknown authority', withTls, true, /^the certificate of the server is not trusted: .*SERVER_CA_CERT_PATH/],
    [
      'another name',
      withTls,
      { ...trusting, serverNameOverride: 'x.example' },
      /for another name .*TEMPORAL_TLS_SERVER_NAME/,
    ],
    ['a missing client certificate', () => mutual('TLSv1.3'), trusting, /CLIENT_CERT_PATH/],
    [
      'a server of another kind',
      () => createHttpServer(),
      undefined,
      /accepts connections, but does not respond like a Temp/,
    ],
  ])('names the cause and the fix of %s', async (_, server, tls, line) => {
    expect(await diagnosisOf(server(), tls)).toMatch(line);
  });

  it('explains the error that the server returned', async () => {
    const cause = Object.assign(new Error('7'), { code: 7, details: 'Request unauthorized.', metadata: {} });
    const found = await diagnoseTemporal({ address: 'h:1', connectionOptions: {} }, new ServiceError('x', { cause }));
    expect(found.problem).toBe('Temporal denied access: Request unauthorized (PERMISSION_DENIED)');
  });

  it('explains an invalid certificate', async () => {
    const error = new Error('error:0480006C:PEM routines::no start line');
    const found = await diagnoseTemporal({ address: 'h:1', connectionOptions: {} }, error);
    expect(found.problem).toBe('the certificate or key for TLS is invalid (no start line)');
  });
});
