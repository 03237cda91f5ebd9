import { Client, Connection } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { LonghaulClient } from '../../../../src/client/longhaul-client.ts';

const temporal = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) });
const client = new LonghaulClient(temporal, { taskQueue: 'test' });
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
  ])('%j are rejected by connect() before it connects', async (options, message) => {
    const rejected = { code: 'CONFIG_INVALID', message: expect.stringMatching(message) };
    await expect(LonghaulClient.connect(anything(options))).rejects.toMatchObject(rejected);
  });

  it('are rejected by the constructor', () => {
    const message = '"namespace" is not an option. Use taskQueue, host, sources';
    expect(() => new LonghaulClient(temporal, anything({ namespace: 'x' }))).toThrow(message);
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
    ['backfill', { from: '2026-11-01', to: new Date() }, /"from" and "to" must be dates\.$/],
  ])('are rejected by schedules.%s(%j)', async (method, options, message) => {
    const call =
      method === 'create'
        ? client.schedules.create(anything(options))
        : client.schedules[method]('x', anything(options));
    await expect(call).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
  });
});
