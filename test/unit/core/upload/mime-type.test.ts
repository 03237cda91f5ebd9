import { describe, expect, it } from 'vitest';
import { mimeTypeFields, mimeTypeProblem } from '../../../../src/core/upload/mime-type.ts';

describe('mimeTypeFields', () => {
  it.each([
    ['train.jsonl', 'text/jsonl'],
    ['TRAIN.JSONL', 'text/jsonl'],
    ['train.jsonl.gz', 'application/gzip'],
    ['a.b.pdf', 'application/pdf'],
    ['photo.jpeg', 'image/jpeg'],
    ['main.py', 'text/x-python'],
    ['main.ts', 'application/typescript'],
    ['README.md', 'text/markdown'],
    ['table.csv', 'text/csv'],
  ])('contain the type of %s', (filename, mimeType) => {
    expect(mimeTypeFields(filename, undefined)).toEqual({ mimeType, mimeTypeByName: true });
  });

  it.each(['data', 'data.', '', 'model.safetensors', 'x.constructor', 'x.__proto__', 'x.toString', 'a.py/b'])(
    'contain plain bytes for %j',
    (filename) => {
      expect(mimeTypeFields(filename, undefined).mimeType).toBe('application/octet-stream');
    },
  );

  it('contain a requested type unchanged', () => {
    expect(mimeTypeFields('main.py', 'application/octet-stream')).toEqual({ mimeType: 'application/octet-stream' });
  });
});

describe('mimeTypeProblem', () => {
  it.each(['text/plain', 'text/x-c++', 'application/vnd.a.b+json', 'text/plain; charset=utf-8', 'a/b;c="d e"'])(
    'accepts %s',
    (mimeType) => {
      expect(mimeTypeProblem(mimeType)).toBeUndefined();
    },
  );

  it.each([
    '',
    'text',
    'text/',
    '/plain',
    'text/plain;',
    'text /plain',
    'a/b/c',
    'text/plain\r\nx: y',
    'text/ä',
    'jsonl',
  ])('rejects %j', (mimeType) => {
    expect(mimeTypeProblem(mimeType)).toMatch(/must be a MIME type, for example text\/plain/);
  });
});
