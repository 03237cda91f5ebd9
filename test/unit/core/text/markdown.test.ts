import fc from 'fast-check';
import { marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { describeProgress } from '../../../../src/core/show/describe-progress.ts';
import { describeSync } from '../../../../src/core/show/describe-sync.ts';
import { inlineCode, summaryCode, summaryOf } from '../../../../src/core/text/markdown.ts';
import { utf8Length } from '../../../../src/core/text/clip.ts';
import { anyText, generatedRuns } from '../../../support/mutated.ts';

/** The content of a code span, as a renderer of GitHub's Markdown finds it; undefined if it renders anything else. */
function contentOf(markdown: string): string | undefined {
  const html = marked.parse(markdown, { gfm: true, async: false });
  const code = /^<p><code>([^<]*)<\/code><\/p>\n$/.exec(html)?.[1];
  return code?.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name] ?? '');
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };

const HOSTILE =
  '`![x](http://evil.example/x.png)` <script src=//evil.example></script>\n# [a](javascript:x) | http://evil.example';

describe('an external text in the Markdown of Temporal UI', () => {
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

  it('is one code span that contains all of any text', () => {
    const piece = fc.constantFrom('`', '``', ' ', '\\', '\n', '<img src=x>', '![a](b)', '|', '*', '~~~', 'x', '\u202e');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((pieces) => pieces.join('')),
          anyText,
        ),
        (text) => {
          const content = contentOf(inlineCode(text, 10_000));
          expect(content).toBeDefined();
          expect(content).not.toMatch(/[\p{Cc}\p{Cs}]/u);
          const isPlain = /^[ -~]*[!-~][ -~]*$/.test(text);
          expect(isPlain ? content : text).toBe(text);
        },
      ),
      { numRuns: generatedRuns(1000) },
    );
  });

  it('is shortened in the middle if the space is limited', () => {
    expect(inlineCode('0123456789.jsonl', 13)).toBe('`01234…jsonl`');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(utf8Length(contentOf(summaryCode(text)) ?? 'x'.repeat(999))).toBeLessThanOrEqual(100);
      }),
    );
    expect(utf8Length(summaryOf('`'.repeat(5000), '\n'.repeat(5000), '漢'.repeat(5000)))).toBeLessThan(400);
  });
});

describe('the pages of Temporal UI', () => {
  const now = { nowMs: 0, reason: HOSTILE, fileId: HOSTILE };
  const waiting = { reason: HOSTILE, failureType: HOSTILE, sinceMs: 0, nextProbeAtMs: 0 };

  it('contain no links or external content, for any names, IDs and messages', () => {
    const amount = { files: 1, bytes: 1 };
    const counts = { listed: amount, toSend: amount, sent: amount, same: 0, knownContent: 0, failed: 0, leftOut: 0 };
    const upload = {
      kind: 'upload' as const,
      filename: HOSTILE,
      bytesTotal: 8,
      bytesDone: 4,
      partSizeBytes: 4,
      partsTotal: 2,
      partsDone: 1,
      partsInFlight: 1,
      concurrency: 1,
      limit: null,
      session: { uploadId: HOSTILE, createdAt: 0, expiresAt: 0 },
      sessionEndsTooEarly: true,
      waiting,
      sessionsOpened: 1,
      orphanedSessions: 0,
      md5: null,
      startedAtMs: 0,
    };
    const texts = (['uploading', 'waiting', 'paused', 'failed', 'completed'] as const).flatMap((state) => [
      describeProgress({ ...upload, state }, now),
      describeSync(
        { ...upload, kind: 'sync', state, counts: { ...counts, toDelete: 0, deleted: 0 }, uploading: [HOSTILE] },
        now,
      ),
    ]);
    for (const text of [...texts, summaryOf(HOSTILE, HOSTILE, HOSTILE)]) {
      const html = marked.parse(text, { gfm: true, async: false });
      expect(html.match(/<(?!(?:p|strong|code)>)[a-z]/)).toBeNull();
      expect(html).toContain('evil.example');
    }
  });
});
