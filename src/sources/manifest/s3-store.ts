import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { S3Manifest } from '../../contracts/sources.ts';
import { errnoCause, errnoOf } from '../../core/text/errno-cause.ts';
import { ConfigError, LonghaulError, ManifestError, SourceMissingError, SourceReadError } from '../../errors.ts';
import type { S3Bucket } from '../s3/connections.ts';
import { failureOf, mapS3Error } from '../s3/errors.ts';
import type { ManifestContent, ManifestStore, Rewrite } from './store.ts';

/** Updates that start again because another sync wrote the object at the same time. */
const MAX_UPDATES = 20;
const MAX_PAUSE_MS = 2000;

/**
 * Opens a manifest in a bucket. An update is a conditional PUT: the store rejects it if the object is no longer the one
 * that was read.
 */
export function openS3Manifest({ bucket, key }: S3Manifest, { settings, ...store }: S3Bucket): ManifestStore {
  const name = `s3://${bucket}/${key}`;
  const target = { Bucket: bucket, Key: key };

  /** Creates an empty object if none exists. This shows whether objects can be written. */
  async function prepare(signal: AbortSignal): Promise<void> {
    const exists = await ask('read', (client) => client.send(new HeadObjectCommand(target), { abortSignal: signal }));
    if (exists) return;
    const put = new PutObjectCommand({ ...target, Body: '', IfNoneMatch: '*' });
    // Another sync can have created it in the meantime.
    await ask('write', (client) => client.send(put, { abortSignal: signal }), [412, 409]);
  }

  async function read<T>(use: (content: ManifestContent) => Promise<T>, signal: AbortSignal): Promise<T> {
    const object = await get(signal);
    try {
      return await use(object && content(object.body));
    } finally {
      object?.body.destroy();
    }
  }

  async function update(rewrite: Rewrite, signal: AbortSignal): Promise<void> {
    const folder = await copying(mkdtemp(join(tmpdir(), 'longhaul-manifest-')));
    try {
      for (let tries = 1; tries <= MAX_UPDATES; tries++) {
        if (await updateOnce(rewrite, join(folder, 'next'), signal)) return;
        await delay(Math.random() * Math.min(100 * tries, MAX_PAUSE_MS), undefined, { signal });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    throw new SourceReadError(`cannot write the manifest ${name}: other syncs write it at the same time`);
  }

  /** @returns false if another writer was faster, and nothing was changed */
  async function updateOnce(rewrite: Rewrite, copy: string, signal: AbortSignal): Promise<boolean> {
    const object = await get(signal);
    // A PUT needs its length before it starts.
    const handle = await copying(open(copy, 'w', 0o600));
    try {
      for await (const text of rewrite(object && content(object.body))) await copying(handle.writeFile(text));
    } finally {
      await handle.close();
      object?.body.destroy();
    }
    const { size } = await stat(copy);
    const condition = object ? { IfMatch: object.etag } : { IfNoneMatch: '*' };
    const put = () =>
      new PutObjectCommand({
        ...target,
        ...condition,
        Body: size === 0 ? '' : createReadStream(copy),
        ContentLength: size,
        ContentType: 'application/x-ndjson',
      });
    // 412: the object is another one. 409: another PUT is running. 404: the object was deleted.
    const statuses = object ? [404, 409, 412] : [409, 412];
    return (await ask('write', (client) => client.send(put(), { abortSignal: signal }), statuses)) !== undefined;
  }

  /** Maps the errors of the copy on this machine. */
  async function copying<T>(operation: Promise<T>): Promise<T> {
    try {
      return await operation;
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      const problem = `cannot write the manifest ${name}: no copy in ${tmpdir()}: ${errnoCause(code)}`;
      throw new SourceReadError(`${problem}. Set TMPDIR of the worker to a directory with free space.`, {
        cause: error,
      });
    }
  }

  async function get(signal: AbortSignal): Promise<{ readonly body: Readable; readonly etag: string } | undefined> {
    const object = await ask('read', (client) => client.send(new GetObjectCommand(target), { abortSignal: signal }));
    if (!object) return undefined;
    const body = object.Body as Readable;
    body.on('error', () => {});
    if (object.ETag !== undefined) return { body, etag: object.ETag };
    body.destroy();
    throw new ManifestError(`cannot use the manifest ${name}: the store returned no ETag. Use another store.`);
  }

  async function* content(body: Readable): AsyncGenerator<Uint8Array> {
    const { stallTimeoutMs } = settings;
    const stalled = new SourceReadError(`cannot read the manifest ${name}: no bytes for ${stallTimeoutMs} ms`);
    const timer = setTimeout(() => body.destroy(stalled), stallTimeoutMs);
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        timer.refresh();
        yield chunk;
      }
    } catch (error) {
      throw error === stalled ? error : errorOf('read', error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param statuses that are not errors, such as 404. @returns undefined for such a response */
  async function ask<T>(
    verb: 'read' | 'write',
    call: (client: S3Client) => Promise<T>,
    statuses: readonly number[] = [404],
  ): Promise<T | undefined> {
    try {
      return await store.ask(call);
    } catch (error) {
      const { code, status } = failureOf(error);
      if (status !== undefined && statuses.includes(status) && code !== 'NoSuchBucket') return undefined;
      throw errorOf(verb, error);
    }
  }

  function errorOf(verb: 'read' | 'write', error: unknown): unknown {
    if ((error as Error | undefined)?.name === 'AbortError') return error;
    if (verb === 'write' && failureOf(error).status === 501) {
      const problem = 'the store does not support conditional writes (501)';
      return new ManifestError(`cannot write the manifest ${name}: ${problem}. Use another store, or a file.`);
    }
    const mapped = mapS3Error(error, `the manifest ${name}`);
    const message = verb === 'read' ? mapped.message : mapped.message.replace(/^cannot read/, 'cannot write');
    if (mapped instanceof SourceMissingError || mapped instanceof ConfigError) {
      return new ManifestError(message, { cause: error });
    }
    return mapped instanceof LonghaulError && mapped.retryable
      ? new SourceReadError(message, { cause: error })
      : mapped;
  }

  return { name, prepare, read, update };
}
