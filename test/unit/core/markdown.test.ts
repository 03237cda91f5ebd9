import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inlineCode, summaryCode, summaryOf } from '../../../src/core/markdown.ts';
import { utf8Length } from '../../../src/core/utf8-length.ts';

/** The content of a code span by the rules of CommonMark; undefined if the text is not exactly one code span. */
function contentOf(markdown: string): string | undefined {
  const fence = /^`+/.exec(markdown)?.[0] ?? '';
  const runs = [...markdown.matchAll(/`+/g)].filter(([run]) => run === fence);
  const isSpan = runs.length === 2 && markdown.endsWith(fence) && markdown.length > 2 * fence.length;
  if (fence === '' || !isSpan) return undefined;
  const content = markdown.slice(fence.length, -fence.length);
  return /^ .* $/.test(content) && content.trim() !== '' ? content.slice(1, -1) : content;
}

describe('a text from outside in the Markdown of Temporal UI', () => {
  it.each([
    ['train.jsonl', '`train.jsonl`'],
    ['![x](http://evil/x.png)', '`![x](http://evil/x.png)`'],
    ['<script>alert(1)</script>', '`<script>alert(1)</script>`'],
    ['a|b [c](d) **e**', '`a|b [c](d) **e**`'],
    ['a`b', '``a`b``'],
    ['`` ` ![x](y)', '``` `` ` ![x](y) ```'],
    [' padded ', '`  padded  `'],
    ['a\n\n# heading', '`a��# heading`'],
    ['', '`�`'],
    ['  ', '`�`'],
  ])('is one code span: %j', (text, markdown) => {
    expect(inlineCode(text)).toBe(markdown);
  });

  it('is one code span with all of the text, whatever the text is', () => {
    const piece = fc.constantFrom('`', '``', ' ', '\\', '\n', '<img src=x>', '![a](b)', '|', '*', '~~~', 'x', '\u202e');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((pieces) => pieces.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          const content = contentOf(inlineCode(text, 10_000));
          expect(content).toBeDefined();
          expect(content).not.toMatch(/[\p{Cc}\p{Cs}]/u);
          const isPlain = /^[ -~]*[!-~][ -~]*$/.test(text);
          expect(isPlain ? content : text).toBe(text);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('is cut in the middle where the space is limited', () => {
    expect(inlineCode('0123456789.jsonl', 13)).toBe('`01234…jsonl`');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(utf8Length(contentOf(summaryCode(text)) ?? 'x'.repeat(999))).toBeLessThanOrEqual(100);
      }),
    );
    expect(utf8Length(summaryOf('`'.repeat(5000), '\n'.repeat(5000), '漢'.repeat(5000)))).toBeLessThan(400);
  });
});
