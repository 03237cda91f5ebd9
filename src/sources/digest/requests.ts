import { HASH_AT, type BatchLine } from './batch-rules.ts';
import { parseJson } from '../../core/text/parse.ts';

/** Without a maximum number of lines, the IDs of later lines are not compared: 8 bytes per line and 4 of the table. */
const MAX_COMPARED = 1024 * 1024;
/** A larger state does not fit into a heartbeat. */
const MAX_SAVED = 100_000;
const ID_BYTES = 8;
/** Bits of a line number in the table. The others are bits of its hash, so that other lines are rarely read. */
const LINE_BITS = 21;
const LINE_MASK = (1 << LINE_BITS) - 1;

type Hash = readonly [number, number];

/** Compares the requests of a batch: IDs must differ, endpoints and models are usually the same. Stores only hashes. */
export class Requests {
  readonly #most: number;
  /** By line. Two zeros: the line has no ID. */
  #ids = new Int32Array(2 * 1024);
  /** Line numbers with bits of their hashes, by hash. */
  #table = new Int32Array(4 * 1024);
  #lines = 0;
  #url: Hash | undefined;
  #model: Hash | undefined;
  #hasUrls = false;
  #hasModels = false;

  constructor(maxLines: number = MAX_COMPARED) {
    this.#most = Math.min(maxLines + 1, MAX_COMPARED);
  }

  /** @returns the problem of the line */
  add(line: number, { hashes, hasModel }: BatchLine): string | undefined {
    this.#url ??= hashAt(hashes, HASH_AT.url);
    this.#hasUrls ||= !isAt(hashes, HASH_AT.url, this.#url);
    if (hasModel) {
      this.#model ??= hashAt(hashes, HASH_AT.model);
      this.#hasModels ||= !isAt(hashes, HASH_AT.model, this.#model);
    }
    return this.addId(line, hashes[HASH_AT.customId] as number, hashes[HASH_AT.customId + 1] as number);
  }

  /** As `add`, for a line with the endpoint and model of an earlier line. */
  addId(line: number, one: number, two: number): string | undefined {
    if (line > this.#most) return undefined;
    const other = this.#insert(line, one, two);
    return other === 0 ? undefined : `has the "custom_id" of line ${other}`;
  }

  warnings(): string[] {
    return [
      ...(this.#hasUrls ? ['the requests have more than one "url", and a batch has one endpoint'] : []),
      ...(this.#hasModels ? ['the requests have more than one "model"'] : []),
    ];
  }

  save(): string {
    if (this.#lines > MAX_SAVED) return '';
    const ids = Buffer.from(this.#ids.buffer, 0, this.#lines * ID_BYTES).toString('base64');
    return JSON.stringify([unsigned(this.#url), unsigned(this.#model), this.#hasUrls, this.#hasModels, ids]);
  }

  load(state: string): boolean {
    const saved = parsed(state);
    if (!saved) return false;
    const [url, model, hasUrls, hasModels, text] = saved;
    const ids = Uint8Array.from(Buffer.from(text, 'base64'));
    if (ids.byteLength % ID_BYTES !== 0) return false;
    const words = new Int32Array(ids.buffer);
    this.#url = signed(url);
    this.#model = signed(model);
    this.#hasUrls = hasUrls;
    this.#hasModels = hasModels;
    for (let line = 1; line <= words.length / 2; line++) {
      const [one, two] = [words[2 * line - 2] as number, words[2 * line - 1] as number];
      if (one !== 0 || two !== 0) this.#insert(line, one, two);
      else this.#lines = line;
    }
    return true;
  }

  /** @returns the line that has the ID; 0: none */
  #insert(line: number, one: number, two: number): number {
    if (2 * line > this.#ids.length) this.#ids = grown(this.#ids, new Int32Array(2 * Math.max(this.#ids.length, line)));
    // A few large steps: each one places all lines again.
    if (2 * line > this.#table.length)
      this.#rehash(Math.max(Math.min(8 * this.#table.length, 2 * this.#most), 2 * line));
    const found = this.#place(one, two);
    const other = this.#table[found] as number;
    if (other !== 0) return other & LINE_MASK;
    this.#ids[2 * line - 2] = one;
    this.#ids[2 * line - 1] = two;
    this.#table[found] = line | (one << LINE_BITS);
    this.#lines = line;
    return 0;
  }

  /** The place of a hash in the table, or the free place for it. */
  #place(one: number, two: number): number {
    const [table, ids] = [this.#table, this.#ids];
    const mask = table.length - 1;
    const bits = one << LINE_BITS;
    for (let at = two & mask; ; at = (at + 1) & mask) {
      const entry = table[at] as number;
      if (entry === 0) return at;
      if ((entry & ~LINE_MASK) !== bits) continue;
      const line = entry & LINE_MASK;
      if (ids[2 * line - 2] === one && ids[2 * line - 1] === two) return at;
    }
  }

  #rehash(least: number): void {
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(least)));
    for (let line = 1; line <= this.#lines; line++) {
      const [one, two] = [this.#ids[2 * line - 2] as number, this.#ids[2 * line - 1] as number];
      if (one !== 0 || two !== 0) this.#table[this.#place(one, two)] = line | (one << LINE_BITS);
    }
  }
}

function hashAt(hashes: Int32Array, index: number): Hash {
  return [hashes[index] as number, hashes[index + 1] as number];
}

function isAt(hashes: Int32Array, index: number, hash: Hash): boolean {
  return hashes[index] === hash[0] && hashes[index + 1] === hash[1];
}

function grown(old: Int32Array<ArrayBuffer>, larger: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  larger.set(old);
  return larger;
}

/** In a state, the halves of a hash are unsigned. */
function unsigned(hash: Hash | undefined): Hash | null {
  return hash ? [hash[0] >>> 0, hash[1] >>> 0] : null;
}

function signed(hash: Hash | null): Hash | undefined {
  return hash ? [hash[0] | 0, hash[1] | 0] : undefined;
}

type Saved = readonly [Hash | null, Hash | null, boolean, boolean, string];

function parsed(state: string): Saved | undefined {
  const saved = parseJson(state);
  const isHash = (value: unknown) => value === null || (Array.isArray(value) && value.length === 2);
  return Array.isArray(saved) &&
    saved.length === 5 &&
    isHash(saved[0]) &&
    isHash(saved[1]) &&
    typeof saved[4] === 'string'
    ? (saved as unknown as Saved)
    : undefined;
}
