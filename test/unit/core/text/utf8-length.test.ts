import { describe, expect, it } from 'vitest';
import { utf8Length } from '../../../../src/core/text/clip.ts';

describe('the length of a text in UTF-8', () => {
  it.each(['', 'tenant-1', 'Zürich', '東京', 'a😀b', '\u07ff\u0800\uffff\u{10000}'])(
    'is that of its bytes: %j',
    (text) => {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text));
    },
  );
});
