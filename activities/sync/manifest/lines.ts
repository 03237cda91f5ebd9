/** Maximum length of a line. A row of Longhaul is shorter, also if each character of its path is escaped. */
export const MAX_LINE_BYTES = 65_536;

const NEWLINE = 10;

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** Whether it is the last line, and no line end follows. */
  readonly isCut: boolean;
}

/** The lines of a text are invalid. The message is the rest of a sentence. */
export class LineProblem extends Error {}

/**
 * Splits UTF-8 into its lines, in groups, with bounded memory. Accepts a byte order mark, CRLF and empty lines.
 *
 * @throws LineProblem if a line is not UTF-8 or longer than `MAX_LINE_BYTES`
 */
export async function* linesIn(content: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Line[]> {
  let rest: Uint8Array = new Uint8Array();
  let number = 0;
  const group = (bytes: Uint8Array, isCut: boolean): Line[] => {
    const first = number + 1;
    const lines = textOf(bytes, first).split('\n');
    if (!isCut) lines.pop();
    number += lines.length;
    return lines.flatMap((line, index) => {
      const at = first + index;
      const text = (at === 1 ? line.replace(/^\uFEFF/, '') : line).trim();
      if (text.length > MAX_LINE_BYTES) throw tooLong(at);
      return text === '' ? [] : [{ number: at, text, isCut: isCut && index === lines.length - 1 }];
    });
  };
  for await (const chunk of content) {
    const bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) yield group(bytes.subarray(0, end), false);
    // Copied, because a reader can use its buffer again.
    rest = bytes.slice(end);
    if (rest.byteLength > MAX_LINE_BYTES) throw tooLong(number + 1);
  }
  if (rest.byteLength > 0) yield group(rest, true);
}

function tooLong(line: number): LineProblem {
  return new LineProblem(`line ${line} is longer than ${MAX_LINE_BYTES} bytes`);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array, first: number): string {
  try {
    return decoder.decode(bytes);
  } catch {
    let line = first;
    for (let start = 0; start < bytes.byteLength; line++) {
      const end = bytes.indexOf(NEWLINE, start);
      const stop = end === -1 ? bytes.byteLength : end;
      try {
        decoder.decode(bytes.subarray(start, stop));
      } catch {
        break;
      }
      start = stop + 1;
    }
    throw new LineProblem(`line ${line} is not UTF-8`);
  }
}
