import { printable } from './printable.ts';
import { utf8Length } from './clip.ts';

/** Temporal rejects a summary of more than 400 bytes, and the workflow task with it. */
const MAX_SUMMARY_BYTES = 200;
const MAX_CODE_BYTES = 1000;

/**
 * Returns text from outside as inline code, which Temporal UI shows as it is: links, images, HTML and every other mark
 * have no effect in it, and nothing is loaded. The fence is longer than every run of backticks in the text.
 */
export function inlineCode(text: string, maxBytes = MAX_CODE_BYTES): string {
  const line = cut(printable(text), maxBytes);
  if (line.trim() === '') return '`�`';
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  // One space on both sides is removed again by the renderer.
  const gap = /^[ `]|[ `]$/.test(line) ? ' ' : '';
  return `${fence}${gap}${line}${gap}${fence}`;
}

/** As `inlineCode`, short enough for the summary of a workflow, an activity or a timer. */
export function summaryCode(text: string): string {
  return inlineCode(text, MAX_SUMMARY_BYTES / 2);
}

/** The static summary of an upload or a sync. */
export function summaryOf(name: string, purpose: string, destination: string): string {
  return `${summaryCode(name)} → ${inlineCode(purpose, 50)} (${inlineCode(destination, 50)})`;
}

/** Keeps both ends of a text that is longer than `maxBytes` of UTF-8, because names often differ at the end. */
function cut(text: string, maxBytes: number): string {
  if (utf8Length(text) <= maxBytes) return text;
  const characters = Array.from(text);
  const start: string[] = [];
  const end: string[] = [];
  let left = maxBytes - 3;
  for (let index = 0; ; index++) {
    const isStart = index % 2 === 0;
    const next = characters[isStart ? start.length : characters.length - 1 - end.length] as string;
    left -= utf8Length(next);
    if (left < 0) return `${start.join('')}…${end.toReversed().join('')}`;
    (isStart ? start : end).push(next);
  }
}
