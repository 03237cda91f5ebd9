import { describe, expect, it } from 'vitest';
import { mimeTypeOf } from '../../../src/core/mime-type.ts';

describe('mimeTypeOf', () => {
  it.each([
    ['train.jsonl', 'text/jsonl'],
    ['TRAIN.JSONL', 'text/jsonl'],
    ['a.b.pdf', 'application/pdf'],
    ['photo.jpeg', 'image/jpeg'],
  ])('knows the type of %s', (filename, type) => {
    expect(mimeTypeOf(filename)).toBe(type);
  });

  it.each(['data', 'data.', '', 'model.safetensors', 'x.constructor', 'x.__proto__', 'x.toString'])(
    'calls %j plain bytes',
    (filename) => {
      expect(mimeTypeOf(filename)).toBe('application/octet-stream');
    },
  );
});
