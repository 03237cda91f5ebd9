import { describe, expect, it } from 'vitest';
import { printable } from '../../../src/core/printable.ts';

describe('what a terminal is shown', () => {
  it('keeps letters of every script, spaces and emoji', () => {
    const text = 'Übung 訓練 שלום 👩‍💻 (1).jsonl';
    expect(printable(text)).toBe(text);
  });

  it.each([
    ['an escape sequence', 'a\u001b[31mb', 'a�[31mb'],
    ['one of a single character', 'a\u009b31mb', 'a�31mb'],
    ['line ends, tabs and bells', 'a\r\nb\tc\u0007', 'a��b�c�'],
    ['line separators', 'a\u2028b\u2029', 'a�b�'],
    ['marks of direction', 'a\u202egnp.exe\u2066', 'a�gnp.exe�'],
    ['half a character', 'a\ud83d', 'a�'],
  ])('has a mark in place of %s', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});
