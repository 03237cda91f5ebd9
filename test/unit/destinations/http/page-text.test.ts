import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageText } from '../../../../src/destinations/http/api-error.ts';

const words = (page: string) => pageText(page).replace(/\s+/g, ' ').trim();

describe('pageText', () => {
  it.each([
    ['plain text', 'upstream unavailable', 'upstream unavailable'],
    [
      'a page with a title',
      '<html><head><title>502</title><style>a{}</style></head><body>Bad gateway</body>',
      '502 Bad gateway',
    ],
    ['a script', '<p>one</p><script>var a = "<p>";</script ><p>two</p>', 'one two'],
    ['upper case', '<HTML><HEAD><TITLE>Oh</TITLE></HEAD><BODY>no', 'Oh no'],
    ['a head without an end', '<head><title>cut', 'cut'],
    ['an element whose name starts like a hidden one', '<header>Proxy</header>', 'Proxy'],
    ['a tag without an end', 'text <a href="', 'text'],
    ['nothing', '', ''],
  ])('reads %s', (_name, page, expected) => {
    expect(words(page)).toBe(expected);
  });

  it.each(['<', '<head', '<head>', '<script>', '<script><', '<title', '</head', '<style x', '<>', ' '])(
    'reads %j, repeated over 64 KiB, a hundred times within the test timeout',
    (piece) => {
      const page = piece.repeat((64 * 1024) / piece.length);
      for (let round = 0; round < 100; round++) pageText(page);
    },
  );

  it('returns no tag of any page that is complete', () => {
    const pieces = fc.array(fc.constantFrom('<b>', '</b>', '<head>', '</head>', '<script>', '</script>', 'text', ' '));
    fc.assert(fc.property(pieces, (all) => !/[<>]/.test(pageText(all.join('')))));
  });
});
