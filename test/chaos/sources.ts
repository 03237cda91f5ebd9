import { randomBytes } from 'node:crypto';
import { appendFile, rename, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Source } from '../../src/contracts/sources.ts';
import { withHttpOrigin, type HttpOrigin } from '../support/http-origin.ts';
import { withS3Server, type S3Server } from '../support/s3-servers.ts';
import type { Edit, SourceKind } from './plan.ts';

/** What the upload reads from, and what may befall it. */
export interface ChaosSource {
  readonly source: Source;
  /** The part `sources` of the workers' configuration. */
  readonly workerSettings: object;
  /** The workers' environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly edit: (how: Edit) => Promise<void>;
  /** Moves it away. Returns a function that restores it without a change. */
  readonly hide: () => Promise<() => Promise<void>>;
}

interface Origin {
  readonly directory: string;
  readonly filename: string;
  readonly content: Buffer;
}

/** Runs `body` with a source of that kind that holds `content`. */
export function withChaosSource<T>(
  kind: SourceKind,
  origin: Origin,
  body: (source: ChaosSource) => Promise<T>,
): Promise<T> {
  if (kind === 'file') return withFile(origin, body);
  if (kind === 'http') {
    return withHttpOrigin({ content: origin.content }, (server) => body(new HttpResource(server, origin)));
  }
  return withS3Server('versitygw', async (server) => {
    const object = new S3Object(server, origin);
    try {
      await object.put(origin.content);
      return await body(object);
    } finally {
      object.close();
    }
  });
}

async function withFile<T>(
  { directory, filename, content }: Origin,
  body: (source: ChaosSource) => Promise<T>,
): Promise<T> {
  const path = join(directory, filename);
  await writeFile(path, content);
  // A file that is hidden can be edited, too, but not while it is moved.
  let current = path;
  let last: Promise<void> = Promise.resolve();
  const inTurn = (change: () => Promise<void>) => (last = last.then(change));
  const move = (to: string) =>
    inTurn(async () => {
      await rename(current, to);
      current = to;
    });
  return body({
    source: { type: 'file', path, host: hostname() },
    workerSettings: {},
    environment: {},
    edit: (how) => inTurn(() => editFile(current, content.byteLength, how)),
    hide: async () => {
      await move(`${path}.hidden`);
      return () => move(path);
    },
  });
}

async function editFile(path: string, sizeBytes: number, how: Edit): Promise<void> {
  switch (how) {
    case 'append':
      return appendFile(path, 'more');
    case 'touch':
      return utimes(path, new Date(), new Date());
    case 'truncate':
      return truncate(path, Math.floor(sizeBytes / 2));
    case 'rewrite':
      return writeFile(path, randomBytes(sizeBytes), { flag: 'r+' });
    case 'replace':
      await writeFile(`${path}.new`, randomBytes(sizeBytes));
      return rename(`${path}.new`, path);
  }
}

/** Of a store that only ever holds whole contents. A touch leaves the same one. */
const edits: Readonly<Record<Edit, (content: Buffer) => Buffer>> = {
  append: (content) => Buffer.concat([content, Buffer.from('more')]),
  touch: (content) => content,
  truncate: (content) => content.subarray(0, Math.floor(content.byteLength / 2)),
  rewrite: (content) => randomBytes(content.byteLength),
  replace: (content) => randomBytes(content.byteLength),
};

class HttpResource implements ChaosSource {
  readonly source: Source;
  readonly workerSettings = { http: { allowPrivate: ['127.0.0.1'] } };
  readonly environment = {};
  readonly #server: HttpOrigin;
  #version = 1;

  constructor(server: HttpOrigin, { filename }: Origin) {
    this.#server = server;
    this.source = { type: 'http', url: `${server.url}/${filename}` };
  }

  async edit(how: Edit): Promise<void> {
    const { behaviour } = this.#server;
    behaviour.content = edits[how](behaviour.content);
    behaviour.etag = `"v${++this.#version}"`;
  }

  async hide(): Promise<() => Promise<void>> {
    const { behaviour } = this.#server;
    behaviour.answer = (_request, response) => {
      response.writeHead(404).end();
      return true;
    };
    return async () => {
      behaviour.answer = undefined;
    };
  }
}

class S3Object implements ChaosSource {
  readonly source: Source;
  readonly workerSettings: object;
  readonly environment: Readonly<Record<string, string>>;
  readonly #client: S3Client;
  readonly #target: { readonly Bucket: string; readonly Key: string };
  #content: Buffer;

  constructor({ endpoint, bucket, credentials }: S3Server, { filename, content }: Origin) {
    this.#content = content;
    this.source = { type: 's3', bucket, key: filename };
    this.#target = { Bucket: bucket, Key: filename };
    const region = 'us-east-1';
    this.#client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    const names = { accessKeyIdEnv: 'CHAOS_S3_ID', secretAccessKeyEnv: 'CHAOS_S3_SECRET' };
    this.workerSettings = { s3: { default: { endpoint, region, forcePathStyle: true, ...names } } };
    this.environment = { CHAOS_S3_ID: credentials.accessKeyId, CHAOS_S3_SECRET: credentials.secretAccessKey };
  }

  async put(content: Buffer): Promise<void> {
    this.#content = content;
    await this.#client.send(new PutObjectCommand({ ...this.#target, Body: content }));
  }

  edit(how: Edit): Promise<void> {
    return this.put(edits[how](this.#content));
  }

  async hide(): Promise<() => Promise<void>> {
    await this.#client.send(new DeleteObjectCommand(this.#target));
    return () => this.put(this.#content);
  }

  close(): void {
    this.#client.destroy();
  }
}
