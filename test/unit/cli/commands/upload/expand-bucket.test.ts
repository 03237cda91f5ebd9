import { describe, expect, it } from 'vitest';
import { expandBucket, type Bucket } from '../../../../../src/cli/commands/upload/expand-files.ts';
import { SourceMissingError, SourceReadError } from '../../../../../src/errors.ts';
import { BucketRows } from '../../../../../src/sources/s3/bucket-rows.ts';

const keys = [
  'a.jsonl',
  'logs/1.jsonl',
  'logs/2.jsonl',
  'logs/sub/3.jsonl',
  'logs/.hidden.jsonl',
  'logs/',
  'logs2/4.jsonl',
  'odd/[x]*?.jsonl',
  'odd/q?v=1#x',
  'odd/content/',
  'lines/a\nb',
  'dir [1]/5.jsonl',
  'empty/none',
];

/** A bucket with these keys. Empty objects: `logs/` and `empty/none`. */
function bucketOf(changes: Partial<Bucket> = {}): Bucket {
  const sizeOf = (key: string) => (key === 'logs/' || key === 'empty/none' ? 0 : 1);
  const sources = {
    read: ((source: { bucket: string; key: string }) => {
      if (source.bucket !== 'training' || !keys.includes(source.key)) throw new SourceMissingError('missing');
      return Promise.resolve({});
    }) as unknown as Bucket['sources']['read'],
    list: (async ({ bucket, prefix }: { bucket: string; prefix: string }, { filter }) => {
      if (bucket !== 'training') throw new SourceMissingError(`${bucket} is a bucket that does not exist`);
      const rows = new BucketRows('s3', prefix, filter);
      for (const key of keys) if (key.startsWith(prefix)) rows.add({ Key: key, Size: sizeOf(key), ETag: '"e"' });
      return rows.listing(true);
    }) as Bucket['sources']['list'],
  };
  return { sources, connection: undefined, maxObjects: 500, ...changes };
}

const expand = async (path: string, changes?: Partial<Bucket>) => {
  const { files, skipped } = await expandBucket(`s3://training${path}`, bucketOf(changes));
  return [
    ...files.map((url) => url.replace('s3://training/', '')),
    ...skipped.map((one) => `skipped ${one.path.replace('s3://training/', '')}`),
  ];
};

describe('an s3:// URL', () => {
  it.each([
    ['/a.jsonl', ['a.jsonl']],
    ['/logs/', ['logs/.hidden.jsonl', 'logs/1.jsonl', 'logs/2.jsonl', 'logs/sub/3.jsonl']],
    ['/logs', ['logs/.hidden.jsonl', 'logs/1.jsonl', 'logs/2.jsonl', 'logs/sub/3.jsonl']],
    ['/logs/*.jsonl', ['logs/1.jsonl', 'logs/2.jsonl']],
    ['/logs/**', ['logs/1.jsonl', 'logs/2.jsonl', 'logs/sub/3.jsonl']],
    ['/log*/', ['logs/1.jsonl', 'logs/2.jsonl', 'logs/sub/3.jsonl', 'logs2/4.jsonl']],
    ['/*/[14].jsonl', ['logs/1.jsonl', 'logs2/4.jsonl']],
    ['/{logs,logs2}/*.jsonl', ['logs/1.jsonl', 'logs/2.jsonl', 'logs2/4.jsonl']],
    ['/*.jsonl', ['a.jsonl']],
    ['/odd/[x]*?.jsonl', ['odd/[x]*?.jsonl']],
    ['/odd/\\[x\\]*', ['odd/[x]*?.jsonl']],
    ['/odd/q?v=1#x', ['odd/q?v=1#x']],
    ['/dir [1]/', ['dir [1]/5.jsonl']],
    ['/odd/', ['odd/[x]*?.jsonl', 'odd/q?v=1#x', 'skipped odd/content/']],
    ['/odd/content/', ['skipped odd/content/./']],
    ['/empty/', ['skipped empty/none']],
    ['/lines/', ['skipped lines/a\nb']],
    ['/nothing', ['nothing']],
    ['/{a', ['{a']],
  ])('%s names %j', async (path, expected) => {
    expect(await expand(path)).toEqual(expected);
  });

  it('skips objects that it selects if the purpose does not accept their name, but not an object that it names', async () => {
    const nameProblem = (name: string) => (name === '1.jsonl' ? 'is not accepted.' : undefined);
    expect(await expand('/logs/*.jsonl', { nameProblem })).toEqual(['logs/2.jsonl', 'skipped logs/1.jsonl']);
    expect(await expand('/logs/1.jsonl', { nameProblem })).toEqual(['logs/1.jsonl']);
  });

  it('without a key names all objects of the bucket', async () => {
    const all = await expand('');
    expect(all).toHaveLength(keys.length - 1);
    expect(await expand('/')).toEqual(all);
  });

  it.each([
    ['/nothing/', /^no object found under s3:\/\/training\/nothing\/\. Check the prefix/],
    ['/nothing*', /^no object matches s3:\/\/training\/nothing\*\. Check the key/],
  ])('%s is rejected if it names no object', async (path, message) => {
    await expect(expand(path)).rejects.toThrow(message);
  });

  it('that names more objects than one command uploads is rejected, with the command to use instead', async () => {
    await expect(expand('/logs/', { maxObjects: 3 })).rejects.toThrow(
      's3://training/logs/ names more than 3 objects, the maximum of one command. Use "longhaul sync s3://training/logs/".',
    );
    expect(await expand('/logs/*.jsonl', { maxObjects: 2 })).toHaveLength(2);
  });

  it('of a bucket that does not exist, or cannot be listed, is rejected with the cause', async () => {
    await expect(expandBucket('s3://other/x/', bucketOf())).rejects.toThrow('other is a bucket that does not exist');
    await expect(expandBucket('s3:///x', bucketOf())).rejects.toThrow('names no bucket');
    const list = () => Promise.reject(new SourceReadError('busy'));
    const { read } = bucketOf().sources;
    await expect(expand('/logs', { sources: { read, list } })).rejects.toThrow('busy');
  });
});
