import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Payload, PayloadCodec } from '@temporalio/common';
import * as z from 'zod';
import { ConfigError } from '../errors.ts';
import { closeServer, isSameSecret, listenOn } from '../network/http-server.ts';

export interface CodecServerOptions {
  readonly codec: PayloadCodec;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Secret that each request must have: as `Authorization: Bearer TOKEN`, or in the path, as `/TOKEN/decode`. */
  readonly token: string;
  /** Origins of Temporal UI, such as `https://temporal.example.com`. Those of this machine are always accepted. */
  readonly origins: readonly string[];
  /** Receives one line for each request that fails in the codec. It contains no payload. */
  readonly log: (line: string) => void;
}

export interface CodecServer {
  /** Without the token. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** An event has at most some payloads of 2 MB, as Base64. */
const MAX_BODY_BYTES = 32 * 1024 ** 2;

/** Payloads as JSON of Protocol Buffers, which omits an empty list: the arguments of a query without arguments. */
const bodySchema = z.object({
  payloads: z
    .array(z.looseObject({ metadata: z.record(z.string(), z.base64()).optional(), data: z.base64().optional() }))
    .default([]),
});
type JsonPayload = z.infer<typeof bodySchema>['payloads'][number];

class Rejection extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Serves Temporal's remote codec protocol, by which Temporal UI and the `temporal` command decrypt payloads: `POST /encode`
 * and `POST /decode` with `{ "payloads": [{ "metadata": {}, "data": "" }] }`. Payloads that cannot be decrypted are
 * returned unchanged, so that the others of the same page are shown.
 *
 * @throws Error if the port cannot be used
 */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const server = createServer((request, response) => void answer(request, response, options));
  const url = await listenOn(server, options.port, options.host);
  return { url, close: () => closeServer(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: CodecServerOptions): Promise<void> {
  const { origin } = request.headers;
  const isAccepted = origin !== undefined && (isOfThisMachine(origin) || options.origins.includes(origin));
  response.setHeader('vary', 'Origin');
  if (isAccepted) allow(request, response, origin);
  const send = (status: number, body?: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body));
  try {
    if (origin !== undefined && !isAccepted) {
      throw new Rejection(
        403,
        `The origin ${origin} is not permitted. Start the codec server with --origin ${origin}.`,
      );
    }
    // A browser sends no credentials with this question.
    if (request.method === 'OPTIONS') return void send(204);
    const { operation, isPermitted } = routeOf(request, options.token);
    if (!isPermitted)
      throw new Rejection(401, 'The token is missing or incorrect. Use the endpoint that the codec server printed.');
    if (operation === undefined) throw new Rejection(404, 'The paths of a codec server are /encode and /decode.');
    if (request.method !== 'POST') throw new Rejection(405, 'Use POST.');
    const payloads = await readPayloads(request);
    send(200, { payloads: await Promise.all(payloads.map((payload) => converted(payload, operation, options.codec))) });
  } catch (error) {
    if (error instanceof Rejection) {
      const { status, message } = error;
      return void send(status, { message });
    }
    options.log(`the codec failed: ${reasonOf(error)}`);
    send(500, { message: 'The codec failed. The reason is in the output of the codec server.' });
  }
}

/** A `ConfigError` names a key by its ID. Texts of other errors can contain payloads. */
function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.name) : 'an unknown error';
}

function allow(request: IncomingMessage, response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
  const requested = request.headers['access-control-request-headers'];
  response.setHeader('access-control-allow-headers', requested ?? 'authorization, content-type, x-namespace');
  // Chrome asks before a page of another network calls a server of this machine.
  if (request.headers['access-control-request-private-network']) {
    response.setHeader('access-control-allow-private-network', 'true');
  }
}

type Operation = 'encode' | 'decode';

function routeOf(
  { url = '/', headers }: IncomingMessage,
  token: string,
): { readonly isPermitted: boolean; readonly operation: Operation | undefined } {
  const segments = (url.split('?', 1)[0] ?? '').split('/').filter(Boolean);
  const operation = segments.pop();
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const candidates = [bearer, ...segments].filter((value) => value !== undefined);
  return {
    isPermitted: candidates.some((candidate) => isSameSecret(candidate, token)),
    operation: operation === 'encode' || operation === 'decode' ? operation : undefined,
  };
}

async function readPayloads(request: IncomingMessage): Promise<JsonPayload[]> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES) throw new Rejection(413, `The body is larger than ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  try {
    return bodySchema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8'))).payloads;
  } catch {
    throw new Rejection(
      400,
      'The body must be JSON such as { "payloads": [{ "metadata": { "encoding": "…" }, "data": "…" }] }, with values in Base64.',
    );
  }
}

async function converted(json: JsonPayload, operation: Operation, codec: PayloadCodec): Promise<JsonPayload> {
  const { metadata = {}, data = '', ...rest } = json;
  const payload: Payload = {
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    data: Buffer.from(data, 'base64'),
  };
  try {
    const [result] = await codec[operation]([payload]);
    return { ...rest, ...(result ? toJson(result) : {}) };
  } catch (error) {
    if (operation === 'encode') throw error;
    return json;
  }
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  return { metadata: Object.fromEntries(entries), data: Buffer.from(data ?? []).toString('base64') };
}

function isOfThisMachine(origin: string): boolean {
  return /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin);
}
