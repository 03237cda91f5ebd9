import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostOfQueue, transferTaskQueue } from '../../../src/contracts/names.ts';
import { hostNameProblem } from '../../../src/core/task-queue.ts';
import { ConfigError } from '../../../src/errors.ts';
import {
  hostIdentityPath,
  HostNames,
  readHostIdentity,
  storeHostIdentity,
  thisHost,
} from '../../../src/config/host-identity.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-host-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const stored = (content: string) => writeFile(hostIdentityPath(directory), content);

describe('the name of a host in the state directory', () => {
  it('is stored once, with its earlier names and without a temporary file', async () => {
    expect(readHostIdentity(directory)).toBeUndefined();
    expect(storeHostIdentity(directory, { host: 'first', earlier: ['zero'] })).toEqual({
      host: 'first',
      earlier: ['zero'],
    });
    expect(storeHostIdentity(directory, { host: 'second', earlier: [] })).toMatchObject({ host: 'first' });
    expect(await readdir(directory)).toEqual(['host.json']);
  });

  it('stores eight earlier names at most', () => {
    const earlier = Array.from({ length: 12 }, (_, index) => `host-${index}`);
    expect(storeHostIdentity(directory, { host: 'a', earlier }).earlier).toEqual(earlier.slice(0, 8));
  });

  it.each([
    ['an empty file', ''],
    ['half of the file', '{"host": "a'],
    ['a file without a name', '{}'],
    ['an empty name', '{"host": ""}'],
    ['a name with a line end', '{"host": "a\\nb"}'],
    ['a name of more than 255 characters', `{"host": "${'a'.repeat(256)}"}`],
    ['earlier names that are not a list', '{"host": "a", "earlier": "b"}'],
    ['another kind of JSON', '[]'],
  ])('rejects %s with the path and a fix', async (_case, content) => {
    await stored(content);
    const read = () => readHostIdentity(directory);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(
      `cannot read the name of this host from ${hostIdentityPath(directory)}: it is damaged. Restore`,
    );
  });

  it('reports the cause if the file cannot be read, and stores nothing without a directory', async () => {
    await mkdir(hostIdentityPath(directory));
    expect(() => readHostIdentity(directory)).toThrow(`${hostIdentityPath(directory)}: it is a directory (EISDIR).`);
    expect(readHostIdentity(join(directory, 'none'))).toBeUndefined();
  });
});

describe('names of this machine', () => {
  it('are only the host name, if no name is set or stored', () => {
    expect(new HostNames(undefined, directory)).toMatchObject({ host: hostname(), others: [] });
    expect(new HostNames(undefined, undefined)).toMatchObject({ host: hostname(), others: [] });
  });

  it('are only the set name, if a name is set', () => {
    expect(new HostNames('given', undefined)).toMatchObject({ host: 'given', others: [] });
  });

  it('are the stored name, its earlier names and the host name, read again at each call', () => {
    const names = new HostNames(undefined, directory);
    expect(names.host).toBe(hostname());
    storeHostIdentity(directory, { host: 'stored', earlier: ['earlier', 'stored'] });
    expect(names).toMatchObject({ host: 'stored', others: ['earlier', hostname()] });
  });
});

describe('a host name that a user sets', () => {
  it.each(['transfer-1', 'node_7.eu.example', 'データ', 'a'.repeat(200), 'a:b'])('accepts %s', (name) => {
    expect(hostNameProblem(name)).toBeUndefined();
    expect(thisHost(name)).toBe(name);
  });

  it.each([
    ['', 'must be a non-empty string'],
    [7, 'must be a non-empty string'],
    ['a'.repeat(201), 'must have at most 200 bytes'],
    ['é'.repeat(101), 'must have at most 200 bytes'],
    ['a b', 'must not contain spaces, quotes, slashes or control characters, for example transfer-1'],
    ['a/b', 'must not contain spaces'],
    ['a\\b', 'must not contain spaces'],
    ['"a"', 'must not contain spaces'],
    ["it's", 'must not contain spaces'],
    ['a\u0000', 'must not contain spaces'],
    ['a\u200bb', 'must not contain spaces'],
  ])('rejects %j', (name, problem) => {
    expect(hostNameProblem(name)).toContain(problem);
    expect(() => thisHost(name as string)).toThrow(`"host" ${hostNameProblem(name)}`);
  });
});

describe('the host of a transfer queue', () => {
  it.each(['a', 'a-transfer-b', 'longhaul-transfer-x', '7'])('is %s, for the queue of that host', (host) => {
    expect(hostOfQueue(transferTaskQueue('uploads', host), 'uploads')).toBe(host);
  });

  it('is undefined for the queue of all hosts, and for other queues', () => {
    expect(hostOfQueue(transferTaskQueue('uploads'), 'uploads')).toBeUndefined();
    expect(hostOfQueue('uploads', 'uploads')).toBeUndefined();
    expect(hostOfQueue('others-transfer-a', 'uploads')).toBeUndefined();
  });
});
