import { Client, Connection } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { LonghaulClient } from '../../../../src/client/longhaul-client.ts';

const temporal = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) });
const client = new LonghaulClient(temporal, { taskQueue: 'test' });
const source = { type: 'file', path: '/data/x.jsonl' } as const;
const folder = { type: 'folder', path: '/data' } as const;
const anything = (value: unknown) => value as never;

describe('options that a program without types passes', () => {
  it.each<[unknown, RegExp]>([
    ['localhost:7233', /^the options of connect\(\) must be an object\.$/],
    [null, /must be an object/],
    [[], /must be an object/],
    [{ adress: 'x:1' }, /^"adress" is not an option\. Use taskQueue, host, sources, connection, namespace, /],
    [{ connection: 'localhost:7233' }, /^"connection" must be an object such as /],
    [{ namespace: 7, host: '' }, /^"host" must be a non-empty string; "namespace" must be a non-empty string/],
    [{ taskQueue: '' }, /^"taskQueue" /],
    [{ host: 'a\0' }, /^"host" must not contain spaces/],
    [{ connection: { address: 5 } }, /^"connection\.address" must be a non-empty string/],
    [{ connection: { apiKey: 5 } }, /^"connection\.apiKey" must be a string or a function\.$/],
    [{ connection: { address: 'http://x:1' } }, /^cannot connect to Temporal at http:\/\/x:1: Invalid address/],
    [{ interceptors: 5, dataConverter: 5 }, /^"interceptors" must be a list of objects; "dataConverter" must be/],
    [{ sources: 'all' }, /^"sources" must be an object\.$/],
    [{ sources: { file: {} } }, /^"sources" has an unknown property "file"\.$/],
    [{ sources: { files: { roots: '/data' } } }, /^"sources\.files\.roots" must be a list of non-empty strings\.$/],
  ])('%j are rejected by connect() before it connects', async (options, message) => {
    const rejected = { code: 'CONFIG_INVALID', message: expect.stringMatching(message) };
    await expect(LonghaulClient.connect(anything(options))).rejects.toMatchObject(rejected);
  });

  it('are rejected by the constructor', () => {
    const message = '"namespace" is not an option. Use taskQueue, host, sources';
    expect(() => new LonghaulClient(temporal, anything({ namespace: 'x' }))).toThrow(message);
  });

  it.each([undefined, null, 'localhost:7233', {}, temporal.connection, client])(
    'are rejected by the constructor without a client of Temporal',
    (given) => {
      const message = 'the first argument of new LonghaulClient() must be a Client of @temporalio/client';
      expect(() => new LonghaulClient(anything(given))).toThrow(message);
    },
  );

  it.each<[unknown, RegExp]>([
    [undefined, /^"workflowId" must be a non-empty string\.$/],
    [5, /^"workflowId" must be a non-empty string\.$/],
    ['', /^"workflowId" must be a non-empty string\.$/],
    ['\ud800', /^"workflowId" must be valid Unicode\.$/],
  ])('are rejected by getHandle(%j)', (id, message) => {
    expect(() => client.getHandle(anything(id))).toThrow(message);
  });

  it('are rejected if an ID is longer than Temporal accepts', async () => {
    expect(() => client.getHandle('x'.repeat(1001))).toThrow('"workflowId" must have at most 1000 bytes');
    const purpose = 'batch';
    const rejected = (bytes: number) => ({
      code: 'CONFIG_INVALID',
      message: `"id" must have at most ${bytes} bytes.`,
    });
    await expect(client.upload({ source, purpose, id: 'x'.repeat(1001) })).rejects.toMatchObject(rejected(1000));
    await expect(client.uploadSplit({ source, purpose, id: 'x'.repeat(901) })).rejects.toMatchObject(rejected(900));
    await expect(client.sync({ source: folder, purpose, id: 'x'.repeat(901) })).rejects.toMatchObject(rejected(900));
  });

  it.each<['result' | 'receipt' | 'progress', unknown, RegExp]>([
    ['result', null, /^the options of result\(\) must be an object\.$/],
    ['receipt', 5, /^the options of receipt\(\) must be an object\.$/],
    ['progress', 'x', /^the options of progress\(\) must be an object\.$/],
    ['result', { timeoutMs: 5 }, /^"timeoutMs" is not an option\. Use signal\.$/],
    ['result', { signal: {} }, /^"signal" must be an AbortSignal\.$/],
    ['progress', { intervalMs: Number.NaN }, /^"intervalMs" must be a whole number from 0 to 2147483647\.$/],
    ['progress', { intervalMs: 1e12 }, /^"intervalMs" must be a whole number/],
    ['progress', { intervalMs: 5n, signal: 'x' }, /^"intervalMs" must be .*; "signal" must be an AbortSignal\.$/],
  ])('are rejected by %s()', async (method, options, message) => {
    const handle = client.getHandle('w');
    const call = method === 'progress' ? handle.progress(anything(options)).next() : handle[method](anything(options));
    await expect(call).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
  });

  it('are rejected by controls if they are not JSON', async () => {
    const call = client.getHandle('w').retune(anything({ concurrency: 5n }));
    const message = expect.stringMatching(/^the input of retune\(\) must be JSON: /);
    await expect(call).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
  });

  it.each<['upload' | 'uploadSplit' | 'sync', unknown, RegExp]>([
    ['upload', undefined, /^the options of upload\(\) must be an object\.$/],
    ['uploadSplit', undefined, /^the options of uploadSplit\(\) must be an object\.$/],
    ['sync', null, /^the options of sync\(\) must be an object\.$/],
    ['upload', 'file.jsonl', /must be an object/],
    ['upload', { file: 3, purpose: 'batch' }, /^"file" must be a non-empty string/],
    ['upload', { url: new URL('http://x'), purpose: 'batch' }, /^"url" must be a non-empty string/],
    ['uploadSplit', { file: '', purpose: 'batch' }, /^"file" must be a non-empty string/],
    ['sync', { folder: ['a'], purpose: 'batch' }, /^"folder" must be a non-empty string/],
    ['sync', { folder: '/data', id: 1, purpose: 'batch' }, /^"id" must be a non-empty string/],
    ['upload', { file: '/data/x', purpose: 'batch', again: 'false' }, /^"again" must be true or false\.$/],
    ['upload', { source: {}, purpose: 'batch' }, /^invalid upload: "source" has an unknown "type"/],
    ['upload', { source: { type: 'file', path: 5 }, purpose: 'batch' }, /^invalid upload: "source" needs "path"/],
    ['upload', { source: { type: 's3' }, purpose: 'batch' }, /^invalid upload: "source" needs "bucket"/],
    ['upload', { source: null, purpose: 'batch' }, /^set exactly one of "file", "url" and "source"/],
    ['sync', { source: null, purpose: 'batch' }, /^set either "folder" or "source"/],
  ])('are rejected by %s(%j)', async (method, options, message) => {
    const rejected = { code: 'CONFIG_INVALID', message: expect.stringMatching(message) };
    await expect(client[method](anything(options))).rejects.toMatchObject(rejected);
  });

  it.each<[unknown, RegExp]>([
    [null, /^the options of list\(\) must be an object\.$/],
    [{ query: 'x' }, /^"query" is not an option\. Use syncs, /],
    [{ state: 'a" OR "1" = "1' }, /^"state" must be a state of uploads/],
    [{ limit: Number.NaN }, /^"limit" must be a number\.$/],
    [{ limit: '5', taskQueue: 5 }, /^"limit" must be a number; "taskQueue" must be a non-empty string/],
  ])('%j are rejected by list()', (options, message) => {
    expect(() => client.list(anything(options))).toThrow(message);
  });

  it.each<['create' | 'update' | 'backfill', unknown, RegExp]>([
    ['create', undefined, /^the options of schedules\.create\(\) must be an object\.$/],
    ['update', undefined, /^the options of schedules\.update\(\) must be an object\.$/],
    ['backfill', undefined, /^the options of schedules\.backfill\(\) must be an object\.$/],
    ['create', { name: 'x', corn: ['0 2 * * *'] }, /^"corn" is not an option\. Use name, cron, /],
    ['update', { name: 'y' }, /^"name" is not an option\. Use cron, /],
    ['backfill', { from: new Date(), until: new Date() }, /^"until" is not an option\. Use from, to, overlap\.$/],
    ['backfill', { from: '2026-11-01', to: new Date() }, /"from" and "to" must be dates\.$/],
  ])('are rejected by schedules.%s(%j)', async (method, options, message) => {
    const call =
      method === 'create'
        ? client.schedules.create(anything(options))
        : client.schedules[method]('x', anything(options));
    await expect(call).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
  });
});
