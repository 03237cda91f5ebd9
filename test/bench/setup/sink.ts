import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { SinkStats } from '../children/sink-stats.ts';
import { startServing } from './serving-process.ts';

const tlsFile = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));

/** The certificate that clients of a sink with TLS have to trust. */
export const certificatePath = tlsFile('localhost.crt');

export type Scheme = 'http' | 'https';

export interface Sink {
  readonly scheme: Scheme;
  readonly port: number;
  readonly baseUrl: string;
  readonly stats: () => Promise<SinkStats>;
  /** Forgets the moments. */
  readonly reset: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts a sink in a separate process. */
export async function startSink(scheme: Scheme): Promise<Sink> {
  const { port, close } = await startServing(
    'sink.js',
    scheme === 'https' ? [certificatePath, tlsFile('localhost.key')] : [],
  );
  const ask = (method: string, path: string) => askSink(scheme, port, method, path);
  return {
    scheme,
    port,
    baseUrl: `${scheme}://127.0.0.1:${port}/v1`,
    stats: () => ask('GET', '/bench/stats'),
    reset: async () => {
      await ask('POST', '/bench/reset');
    },
    close,
  };
}

/** Sends a request over a separate connection, which is closed afterwards. */
function askSink(scheme: Scheme, port: number, method: string, path: string): Promise<SinkStats> {
  const send = scheme === 'https' ? requestTls : request;
  const options = { host: '127.0.0.1', port, method, path, agent: false, ca: readFileSync(certificatePath) };
  return new Promise((resolve, reject) => {
    send(options, (answer) => json(answer).then((stats) => resolve(stats as SinkStats), reject))
      .once('error', reject)
      .end();
  });
}
