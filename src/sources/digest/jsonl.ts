import { isUtf8 } from 'node:buffer';
import type { ContentReport, LineProblem, LineCheck } from '../../contracts/content.ts';
import { JsonLines } from './json-lines.ts';
import { NOT_ACCEPTED } from './json-tokens.ts';
import { BatchRules } from './batch-rules.ts';
import { ChatRules } from './chat-rules.ts';
import { ObjectRules, type LineRules } from './line-rules.ts';
import { Requests } from './requests.ts';
import { WholeLines } from './whole-lines.ts';
import { parseJson } from '../../core/text/parse.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** The start of a longer line is not kept, so that its length does not matter for the memory. */
const LONG_LINE_BYTES = 256 * 1024;
/** After the first problem, the pass looks for others in this many bytes. */
const MORE_BYTES = 256 * 1024 * 1024;
export const MAX_LISTED = 20;

export interface JsonlOptions {
  readonly check: LineCheck;
  /** Maximum lines of a File. @defaultValue any number */
  readonly maxLines?: number | undefined;
  /** Whether all problems are counted, also after the first ones. @defaultValue false */
  readonly countsAll?: boolean | undefined;
}

/** Checks that each line of a source is a JSON object as its purpose requires: a listener of a pass. */
export class JsonlCheck {
  readonly savesAtLineStart = true;
  readonly #options: JsonlOptions;
  readonly #rules: LineRules;
  /** The same rules, if the lines are requests of a batch. */
  readonly #batch: BatchRules | undefined;
  readonly #requests: Requests;
  /** Accepts most lines; the scanner decides about the others. */
  readonly #whole: WholeLines;
  readonly #scanner: JsonLines;
  /** The start of the current line, from earlier chunks. */
  #held = Buffer.alloc(0);
  #heldBytes = 0;
  /** Whether the scanner has the start of the current line. */
  #isLong = false;
  #offsetBytes = 0;
  /** The first two bytes of the source. */
  #mark = '';
  #lines = 0;
  #invalid = 0;
  #firstProblemBytes = Infinity;
  #problems: LineProblem[] = [];
  #endsInLine = false;
  /** Whether the last line so far is empty, which is a problem only if another line follows. */
  #endsEmpty = false;
  #scanned: string | undefined;

  constructor(options: JsonlOptions) {
    this.#options = options;
    this.#requests = new Requests(options.maxLines);
    this.#batch = options.check === 'batch' ? new BatchRules() : undefined;
    this.#rules = this.#batch ?? (options.check === 'chat' ? new ChatRules() : new ObjectRules());
    this.#whole = new WholeLines(this.#rules);
    this.#scanner = new JsonLines(this.#rules, { line: (reason) => void (this.#scanned = reason ?? this.#compare()) });
  }

  /** The rest of the source cannot make it valid, and enough problems are known. */
  get isDecided(): boolean {
    if (this.#options.countsAll || this.#invalid === 0) return false;
    return this.#problems.length >= MAX_LISTED || this.#offsetBytes - this.#firstProblemBytes > MORE_BYTES;
  }

  update(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = bytes.byteLength;
    if (end === 0) return;
    if (this.#offsetBytes < 2) this.#mark += bytes.toString('latin1', 0, 2 - this.#offsetBytes);
    let from = 0;
    if (this.#heldBytes > 0 || this.#isLong) {
      const feed = bytes.indexOf(LINE_FEED);
      from = feed === -1 ? end : feed + 1;
      this.#continue(bytes.subarray(0, from));
    }
    const last = bytes.lastIndexOf(LINE_FEED) + 1;
    if (last > from) this.#checkLines(bytes.subarray(from, last));
    const rest = Math.max(last, from);
    if (rest < end) this.#continue(bytes.subarray(rest));
    this.#offsetBytes += end;
    this.#endsInLine = bytes[end - 1] !== LINE_FEED;
  }

  /** Lines up to a line feed. */
  #checkLines(bytes: Buffer): void {
    // In other bytes, only the scanner finds the line that is invalid.
    const areUtf8 = isUtf8(bytes);
    if (areUtf8) this.#whole.setBytes(bytes);
    for (let from = 0; from < bytes.byteLength;) {
      if (this.#endsEmpty) this.#endEmpty();
      const next = areUtf8 ? this.#whole.accept(from) : NOT_ACCEPTED;
      if (next !== NOT_ACCEPTED) {
        this.#end(this.#whole.problem ?? this.#compareAccepted());
        from = next;
      } else {
        const end = bytes.indexOf(LINE_FEED, from) + 1;
        const line = bytes.subarray(from, end);
        if (this.#lines > 0 && isEmpty(line)) this.#endsEmpty = true;
        else this.#end(this.#scan(line));
        from = end;
      }
    }
  }

  /** A part of a line that starts or ends in another chunk. */
  #continue(bytes: Buffer): void {
    const isEnd = bytes.at(-1) === LINE_FEED;
    if (!this.#isLong && this.#heldBytes + bytes.byteLength > LONG_LINE_BYTES) {
      this.#isLong = true;
      if (this.#endsEmpty) this.#endEmpty();
      this.#rules.start();
      this.#scanner.startAt(this.#lines === 0 ? 0 : 1);
      this.#scanner.update(this.#held.subarray(0, this.#heldBytes));
      this.#heldBytes = 0;
    }
    if (this.#isLong) {
      this.#scanner.update(bytes);
      if (!isEnd) return;
      this.#isLong = false;
      this.#end(this.#scanned);
    } else {
      if (this.#held.byteLength === 0) this.#held = Buffer.allocUnsafeSlow(LONG_LINE_BYTES);
      this.#held.set(bytes, this.#heldBytes);
      this.#heldBytes += bytes.byteLength;
      if (!isEnd) return;
      const line = this.#held.subarray(0, this.#heldBytes);
      this.#heldBytes = 0;
      this.#checkLines(line);
    }
  }

  #scan(line: Buffer): string | undefined {
    this.#scanned = undefined;
    this.#rules.start();
    // Only the start of the source can have a byte order mark.
    this.#scanner.startAt(this.#lines === 0 ? 0 : 1);
    this.#scanner.update(line);
    return this.#scanned;
  }

  /** The problem of a valid line that only other lines show. */
  #compare(): string | undefined {
    return this.#batch && this.#requests.add(this.#lines + 1, this.#batch);
  }

  #compareAccepted(): string | undefined {
    const whole = this.#whole;
    if (!this.#batch || !whole.isKnown) return this.#compare();
    // Another line of the layout has the same endpoint and model.
    return this.#requests.addId(this.#lines + 1, whole.hash1, whole.hash2);
  }

  /** An empty line that is not the last one. */
  #endEmpty(): void {
    this.#endsEmpty = false;
    this.#end('is empty');
  }

  #end(reason: string | undefined): void {
    const line = ++this.#lines;
    const { maxLines } = this.#options;
    const isOneTooMany = maxLines !== undefined && line === maxLines + 1;
    let problem = isOneTooMany ? `exceeds the maximum of ${maxLines} lines of a File` : reason;
    if (problem === undefined) return;
    // As PowerShell writes it.
    if (line === 1 && UTF_16_MARKS.includes(this.#mark)) problem = 'is UTF-16, and must be UTF-8';
    this.#invalid++;
    if (this.#invalid === 1) this.#firstProblemBytes = this.#offsetBytes;
    if (this.#problems.length < MAX_LISTED) this.#problems.push({ line, reason: problem });
  }

  save(): string {
    const state: Saved = {
      version: VERSION,
      lines: this.#lines,
      invalid: this.#invalid,
      problems: this.#problems,
      first: this.#invalid > 0 ? this.#firstProblemBytes : 0,
      requests: this.#options.check === 'batch' ? this.#requests.save() : '',
      ...(this.#endsEmpty ? { endsEmpty: true } : {}),
    };
    return JSON.stringify(state);
  }

  load(state: string, offsetBytes: number): boolean {
    const saved = parseJson(state) as Saved | undefined;
    if (!isSaved(saved)) return false;
    if (this.#options.check === 'batch' && !this.#requests.load(saved.requests)) return false;
    this.#lines = saved.lines;
    this.#invalid = saved.invalid;
    this.#problems = [...saved.problems];
    this.#firstProblemBytes = saved.invalid > 0 ? saved.first : Infinity;
    this.#offsetBytes = offsetBytes;
    this.#endsEmpty = saved.endsEmpty === true;
    return true;
  }

  end(): ContentReport {
    if (this.#endsInLine && !this.isDecided) this.#continue(NEW_LINE);
    const { lines, invalid, problems } = { lines: this.#lines, invalid: this.#invalid, problems: this.#problems };
    return { check: this.#options.check, lines, invalid, problems, warnings: this.#requests.warnings() };
  }
}

const NEW_LINE = Buffer.from('\n');
const UTF_16_MARKS: readonly string[] = ['\xff\xfe', '\xfe\xff'];

/** Of the states: another version can have other hashes. */
const VERSION = 2;

interface Saved {
  readonly version: typeof VERSION;
  readonly lines: number;
  readonly invalid: number;
  readonly problems: readonly LineProblem[];
  readonly first: number;
  readonly requests: string;
  readonly endsEmpty?: boolean;
}

function isEmpty(line: Buffer): boolean {
  return line.byteLength === 1 || (line.byteLength === 2 && line[0] === CARRIAGE_RETURN);
}

function isSaved(saved: Saved | undefined): saved is Saved {
  if (typeof saved !== 'object' || saved === null || saved.version !== VERSION) return false;
  const counts = [saved.lines, saved.invalid, saved.first];
  return counts.every(Number.isSafeInteger) && Array.isArray(saved.problems) && typeof saved.requests === 'string';
}
