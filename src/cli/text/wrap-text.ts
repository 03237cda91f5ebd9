import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';

/** Further columns of the lines that continue one. */
const HANGING = 2;

/**
 * Breaks lines between words, so that each fits a terminal. A longer word, such as an ID, stays whole, so that it can be
 * copied.
 *
 * @param width columns; undefined if lines can have any length, as in a pipe
 */
export function wrapText(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  return text
    .split('\n')
    .map((line) => (stringWidth(line) <= width ? line : wrapLine(line, width)))
    .join('\n');
}

function wrapLine(line: string, width: number): string {
  const indent = (/^ */.exec(line)?.[0] ?? '').length;
  const continued = ' '.repeat(Math.min(indent + HANGING, Math.floor(width / 2)));
  const lines: string[] = [];
  let current = ' '.repeat(indent);
  let hasWord = false;
  for (const word of line.slice(indent).split(' ')) {
    const longer = hasWord ? `${current} ${word}` : `${current}${word}`;
    if (hasWord && stringWidth(longer) > width) {
      lines.push(current.trimEnd());
      current = `${continued}${word}`;
      hasWord = word !== '';
    } else {
      current = longer;
      hasWord = true;
    }
  }
  return [...lines, current].join('\n');
}

/** Columns of a terminal; undefined if lines can have any length, as in a pipe. */
export function terminalWidth({ isTTY, columns }: NodeJS.WriteStream): number | undefined {
  // A terminal without a size reports 0.
  return isTTY && columns > 0 ? columns : undefined;
}

/** Shortens a text in its middle to at most this width. */
export function cutMiddle(text: string, width: number): string {
  const cut = cliTruncate(text, width, { position: 'middle' });
  // It can keep both columns of a wide character of which it should keep one.
  return stringWidth(cut) > width ? cliTruncate(text, width - 1, { position: 'middle' }) : cut;
}
