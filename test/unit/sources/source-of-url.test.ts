import { expect, it } from 'vitest';
import { assertNoOtherUrl } from '../../../src/sources/source-of-url.ts';

it.each([
  ['file:///data/a%20b.jsonl', 'it is the URL of a local file. Use its path: /data/a b.jsonl.'],
  ['FILE:///data/a', 'Use its path: /data/a.'],
  ['file://server/a', 'use a path, or a URL of s3://, http:// or https://.'],
  ['gs://bucket/a', 'use a path, or a URL of s3://, http:// or https://.'],
])('rejects the URL %s, which would otherwise be read as a path', (url, advice) => {
  expect(() => assertNoOtherUrl(url)).toThrow(`cannot read ${url}: `);
  expect(() => assertNoOtherUrl(url)).toThrow(advice);
});

it.each(['a.jsonl', '/data/a', 's3://bucket/a', 'https://host/a', 'a:b', '-'])('permits %s', (text) => {
  expect(() => assertNoOtherUrl(text)).not.toThrow();
});
