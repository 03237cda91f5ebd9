import { afterNumber, NOT_ACCEPTED, STARTS_NUMBER, type StringEnds } from './json-tokens.ts';

/** Lines with more strings and numbers are not learned. */
const MAX_VALUES = 256;
/** Limits of the memory: after them, all layouts are learned again. */
const MAX_NODES = 1024;
const MAX_BYTES = 16 * 1024;
/** Number of lines that are not compared after many lines with new layouts, because this would cost more than it saves. */
const PAUSE_LINES = 512;
const MAX_CREDIT = 64;
const COST_OF_MISS = 2;

/** What follows the bytes of a node. */
const STRING = 0;
const NUMBER = 1;
/** The string that differs between lines, whose hash is needed. */
const VARYING = 2;
const NOTHING = 3;

/**
 * The layouts of accepted lines: all of their bytes, except strings and numbers that no rule reads and the string that
 * `LineRules.varying` names. The lines of a file have few layouts. Lines of a layout have the same problem, so that
 * the rules need not read their values.
 *
 * The layouts are a tree: each node has bytes that are the same in all its lines, and the kind of the value that follows.
 * The bytes up to a value determine where the value starts, so that at most one of several nodes agrees with a line.
 */
export class LineLayouts {
  readonly #strings: StringEnds;
  /** The bytes of all nodes. */
  readonly #bytes = Buffer.alloc(MAX_BYTES);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, MAX_BYTES);
  #usedBytes = 0;
  /** By node. Node 0 is the start of all lines, without bytes. */
  readonly #starts = new Int32Array(MAX_NODES);
  readonly #lengths = new Int32Array(MAX_NODES);
  readonly #kinds = new Uint8Array(MAX_NODES);
  /** The first node that follows, and the next one in the list of such nodes; 0: none. */
  readonly #children = new Int32Array(MAX_NODES);
  readonly #siblings = new Int32Array(MAX_NODES);
  readonly #problems = new Map<number, string>();
  #nodes = 1;
  #credit = MAX_CREDIT;
  #lastNode = 0;
  /** The values of the current line: kind, start and end, without quotes. */
  readonly #values = new Int32Array(3 * MAX_VALUES);
  #valueCount = 0;

  constructor(strings: StringEnds) {
    this.#strings = strings;
  }

  /** The problem of the line that was accepted last; undefined for a valid line. */
  get problem(): string | undefined {
    return this.#problems.size === 0 ? undefined : this.#problems.get(this.#lastNode);
  }

  /** @returns the start of the next line; -1 for a line with a new layout. The hash of the string that varies is then in `StringEnds` */
  accept(from: number): number {
    if (this.#credit <= 0) {
      this.#credit = this.#credit === -PAUSE_LINES ? COST_OF_MISS : this.#credit - 1;
      return NOT_ACCEPTED;
    }
    const next = this.#compare(from);
    if (next === NOT_ACCEPTED) this.#credit -= COST_OF_MISS;
    else if (this.#credit < MAX_CREDIT) this.#credit++;
    return next;
  }

  #compare(from: number): number {
    const strings = this.#strings;
    const { bytes, view } = strings;
    let at = from;
    let node = this.#children[0] as number;
    while (node !== 0) {
      const end = at + (this.#lengths[node] as number);
      const kind = this.#kinds[node];
      const isSame =
        areSame(this.#view, this.#starts[node] as number, view, at, end - at) &&
        (kind !== NUMBER || STARTS_NUMBER[bytes[end] as number] === 1);
      if (!isSame) {
        node = this.#siblings[node] as number;
        continue;
      }
      if (kind === STRING) at = strings.after(end) - 1;
      else if (kind === VARYING) at = strings.afterHashed(end) - 1;
      else if (kind === NUMBER) at = afterNumber(bytes, end);
      else {
        this.#lastNode = node;
        return end;
      }
      if (at < 0) return NOT_ACCEPTED;
      node = this.#children[node] as number;
    }
    return NOT_ACCEPTED;
  }

  /** A line is read in another way. */
  start(): void {
    this.#valueCount = this.#credit > 0 ? 0 : MAX_VALUES + 1;
  }

  /** @param after position after its quote */
  addString(from: number, after: number, isVarying: boolean): void {
    this.#add(isVarying ? VARYING : STRING, from, after - 1);
  }

  addNumber(from: number, end: number): void {
    this.#add(NUMBER, from, end);
  }

  #add(kind: number, from: number, end: number): void {
    const index = this.#valueCount++;
    if (index >= MAX_VALUES) return;
    const values = this.#values;
    values[3 * index] = kind;
    values[3 * index + 1] = from;
    values[3 * index + 2] = end;
  }

  /** Adds the layout of the line whose values were added. */
  learn(from: number, end: number, problem: string | undefined): void {
    const count = this.#valueCount;
    if (count > MAX_VALUES) return;
    if (this.#nodes + count + 1 > MAX_NODES || this.#usedBytes + end - from > MAX_BYTES) this.#clear();
    if (end - from > MAX_BYTES) return;
    const values = this.#values;
    let [node, at] = [0, from];
    for (let index = 0; index < count; index++) {
      node = this.#follow(node, values[3 * index] as number, at, values[3 * index + 1] as number);
      at = values[3 * index + 2] as number;
    }
    node = this.#follow(node, NOTHING, at, end);
    if (problem !== undefined) this.#problems.set(node, problem);
  }

  /** The node with these bytes after a node. It is added if it does not exist. */
  #follow(parent: number, kind: number, from: number, end: number): number {
    const length = end - from;
    for (let node = this.#children[parent] as number; node !== 0; node = this.#siblings[node] as number) {
      if (this.#lengths[node] !== length || this.#kinds[node] !== kind) continue;
      if (areSame(this.#view, this.#starts[node] as number, this.#strings.view, from, length)) return node;
    }
    const node = this.#nodes++;
    this.#bytes.set(this.#strings.bytes.subarray(from, end), this.#usedBytes);
    this.#starts[node] = this.#usedBytes;
    this.#usedBytes += length;
    this.#lengths[node] = length;
    this.#kinds[node] = kind;
    this.#children[node] = 0;
    this.#siblings[node] = this.#children[parent] as number;
    this.#children[parent] = node;
    return node;
  }

  #clear(): void {
    this.#nodes = 1;
    this.#usedBytes = 0;
    this.#children[0] = 0;
    this.#problems.clear();
  }
}

/** Whether bytes are the same. A native comparison costs more than one of so few bytes. */
function areSame(one: DataView, oneAt: number, other: DataView, otherAt: number, length: number): boolean {
  if (otherAt + length > other.byteLength) return false;
  if (length < 4) {
    for (let at = 0; at < length; at++) if (one.getUint8(oneAt + at) !== other.getUint8(otherAt + at)) return false;
    return true;
  }
  const last = length - 4;
  for (let at = 0; at < last; at += 4) {
    if (one.getInt32(oneAt + at, true) !== other.getInt32(otherAt + at, true)) return false;
  }
  return one.getInt32(oneAt + last, true) === other.getInt32(otherAt + last, true);
}
