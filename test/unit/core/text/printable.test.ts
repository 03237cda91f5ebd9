import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, printableJson } from '../../../../src/core/text/printable.ts';
import { generatedRuns } from '../../../support/mutated.ts';

/** Every character, with those that matter here more often than chance would draw them. */
const character = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
  fc.constantFrom('\u001b', '\u009b', '\u202e', '\u2066', '\u200b', '\u200c', '\u200d', '\ufeff', '\u2028', '\ud800'),
);
const text = fc.array(character).map((characters) => characters.join(''));
const JOINERS = /[\u200c\u200d]/g;

describe('the text that a terminal shows', () => {
  it('keeps letters of every script, spaces and emoji', () => {
    const kept = 'Übung 訓練 שלום می‌خواهم क्‍ष 👩‍💻 ❤️ (1).jsonl';
    expect(printable(kept)).toBe(kept);
  });

  it.each([
    ['an escape sequence', 'a\u001b[31mb', 'a�[31mb'],
    ['one of a single character', 'a\u009b31mb', 'a�31mb'],
    ['line ends, tabs and bells', 'a\r\nb\tc\u0007', 'a��b�c�'],
    ['line separators', 'a\u2028b\u2029', 'a�b�'],
    ['marks of direction', 'a\u202egnp.exe\u2066', 'a�gnp.exe�'],
    ['invisible characters', 'a\u200bb\u2060c\ufeffd\u00ade\u{e0041}\u3164', 'a�b�c�d�e��'],
    ['joiners between ASCII characters', 'fi\u200dle\u200c.txt', 'fi�le�.txt'],
    ['half a character', 'a\ud83d', 'a�'],
  ])('contains a replacement for %s', (_, unsafe, shown) => {
    expect(printable(unsafe)).toBe(shown);
  });

  it('never contains a control character or another invisible character', () => {
    fc.assert(
      fc.property(text, (unsafe) => {
        const shown = printable(unsafe);
        expect(shown.replace(JOINERS, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(printable(shown)).toBe(shown);
      }),
      { numRuns: generatedRuns(1000) },
    );
  });
});

describe('the JSON that a terminal shows', () => {
  it('contains the exact data and no control characters, for any data', () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (data) => {
        const json = printableJson(data);
        expect(json.replace(JOINERS, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(data)));
      }),
      { numRuns: generatedRuns(500) },
    );
  });

  it('escapes a character of two UTF-16 units as two escapes', () => {
    expect(printableJson('a\u202e\u{e0041}')).toBe(String.raw`"a\u202e\udb40\udc41"`);
  });
});
