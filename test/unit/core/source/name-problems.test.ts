import { expect, it } from 'vitest';
import { syncRequestProblems, uploadRequestProblems } from '../../../../src/contracts/requests/problems.ts';

const purpose = 'batch';

it.each<[object, RegExp]>([
  [{ type: 'file', path: '/data/a\0b' }, /NUL byte in "path"/],
  [{ type: 'file', path: '/data/a', host: 'a\nb' }, /control character in "host"/],
  [{ type: 's3', bucket: 'b', key: 'x' }, /the invalid bucket "b"/],
  [{ type: 's3', bucket: 'a..b', key: 'x' }, /the invalid bucket "a\.\.b"/],
  [{ type: 's3', bucket: 'bu\0', key: 'x' }, /the invalid bucket "bu\\u0000"/],
  [{ type: 's3', bucket: 'good', key: 'a/../b' }, /"\." or "\.\." segment in "key"/],
  [{ type: 's3', bucket: 'good', key: '..' }, /segment in "key"/],
  [{ type: 's3', bucket: 'good', key: './b' }, /segment in "key"/],
  [{ type: 's3', bucket: 'good', key: 'a\0' }, /NUL byte in "key"/],
  [{ type: 's3', bucket: 'good', key: 'a', versionId: 'v\r\nx: y' }, /control character in "versionId"/],
  [{ type: 'http', url: 'http://host/a\0b' }, /control character in "url"/],
])('rejects the source %j', (source, problem) => {
  expect(uploadRequestProblems({ source, purpose })).toEqual([expect.stringMatching(problem)]);
});

it.each<[object, RegExp]>([
  [{ source: { type: 'folder', path: '/a\0' } }, /"source" has a NUL byte in "path"/],
  [{ source: { type: 's3', bucket: 'good', prefix: '../x' } }, /segment in "prefix"/],
  [{ source: { type: 's3', bucket: '../x' } }, /the invalid bucket/],
  [{ source: { type: 'folder', path: '/a' }, include: ['{a,b}'.repeat(10)] }, /"include" has the glob .*more than 100/],
  [{ source: { type: 'folder', path: '/a' }, exclude: ['a\\'] }, /"exclude" has the glob .*single backslash/],
])('rejects the sync %j', (request, problem) => {
  expect(syncRequestProblems({ purpose, ...request })).toEqual([expect.stringMatching(problem)]);
});

it('accepts unusual but valid names', () => {
  for (const key of ['a/...', '..a/b', 'a//b', '/a', 'a b', 'Icon\r']) {
    expect(uploadRequestProblems({ source: { type: 's3', bucket: 'good', key }, purpose })).toEqual([]);
  }
  expect(uploadRequestProblems({ source: { type: 'file', path: '/data/../x\ny' }, purpose, filename: 'x' })).toEqual(
    [],
  );
});
