import {
  afterLiteral,
  afterNumber,
  afterSpace,
  ENDS_RUN,
  STARTS_NUMBER,
  NOT_ACCEPTED,
  StringEnds,
} from './json-tokens.ts';
import { LineLayouts } from './line-layouts.ts';
import type { LineRules } from './line-rules.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const LINE_FEED = 0x0a;
/** Deeper lines are not accepted here, because the functions call each other for each level. */
const MAX_DEPTH = 64;

/**
 * Accepts lines in memory quickly, and reports their values to the rules. It never rejects a line: `JsonLines` decides
 * about the others, which are invalid or rare. All bytes must be valid UTF-8 and end with a line feed.
 */
export class WholeLines {
  readonly #rules: LineRules;
  readonly #strings = new StringEnds();
  readonly #layouts = new LineLayouts(this.#strings);
  #depth = 0;
  /** The problem of the line that was accepted; undefined for a valid line. */
  problem: string | undefined;
  /** Whether the layout of that line was known, so that the rules did not receive its values. */
  isKnown = false;

  constructor(rules: LineRules) {
    this.#rules = rules;
  }

  /** The hash of the string of a known layout that varies. */
  get hash1(): number {
    return this.#strings.hash1;
  }

  get hash2(): number {
    return this.#strings.hash2;
  }

  setBytes(bytes: Uint8Array): void {
    this.#strings.setBytes(bytes);
  }

  /** @returns the start of the next line; -1 if this line is not accepted */
  accept(from: number): number {
    const layouts = this.#layouts;
    const next = layouts.accept(from);
    this.isKnown = next !== NOT_ACCEPTED;
    if (!this.isKnown) return this.#acceptNew(from);
    this.problem = layouts.problem;
    return next;
  }

  #acceptNew(from: number): number {
    this.#depth = 0;
    this.#rules.start();
    this.#layouts.start();
    const bytes = this.#strings.bytes;
    const end = this.#value(bytes, afterSpace(bytes, from), this.#rules.top);
    if (end === NOT_ACCEPTED) return NOT_ACCEPTED;
    const next = afterSpace(bytes, end) + 1;
    if (bytes[next - 1] !== LINE_FEED) return NOT_ACCEPTED;
    this.problem = this.#rules.problem();
    this.#layouts.learn(from, next, this.problem);
    return next;
  }

  #value(bytes: Uint8Array, at: number, slot: number): number {
    const rules = this.#rules;
    const byte = bytes[at] as number;
    if (byte === QUOTE) return this.#string(at + 1, slot);
    if (byte === 0x7b) return this.#object(bytes, at + 1, slot);
    if (byte === 0x5b) return this.#array(bytes, at + 1, slot);
    if (STARTS_NUMBER[byte] === 1) {
      if (slot !== 0) rules.value(slot, 'number', 0, 0);
      const end = afterNumber(bytes, at);
      this.#layouts.addNumber(at, end);
      return end;
    }
    if (slot !== 0) rules.value(slot, byte === 0x6e ? 'null' : 'boolean', 0, 0);
    return afterLiteral(bytes, at);
  }

  #string(from: number, slot: number): number {
    const strings = this.#strings;
    const rules = this.#rules;
    if (slot !== 0 && rules.hashed[slot]) {
      const after = strings.afterHashed(from);
      if (after === NOT_ACCEPTED) return NOT_ACCEPTED;
      rules.value(slot, 'string', strings.hash1, strings.hash2);
      if (slot === rules.varying) this.#layouts.addString(from, after, true);
      return after;
    }
    if (slot !== 0) rules.value(slot, 'string', 0, 0);
    const after = strings.after(from);
    this.#layouts.addString(from, after, false);
    return after;
  }

  #object(bytes: Uint8Array, from: number, slot: number): number {
    if (++this.#depth > MAX_DEPTH) return NOT_ACCEPTED;
    if (slot !== 0) this.#rules.value(slot, 'object', 0, 0);
    const keys = this.#rules.keys[slot];
    let at = afterSpace(bytes, from);
    if (bytes[at] === 0x7d) at++;
    else {
      for (;;) {
        if (bytes[at] !== QUOTE) return NOT_ACCEPTED;
        const start = at + 1;
        let end = start;
        while (ENDS_RUN[bytes[end] as number] === 0) end++;
        let inner = 0;
        if (bytes[end] === QUOTE) {
          if (keys !== undefined) inner = keys.find(bytes, start, end);
          end++;
        } else if (keys !== undefined) return NOT_ACCEPTED;
        else end = this.#strings.after(end);
        if (end === NOT_ACCEPTED) return NOT_ACCEPTED;
        at = afterSpace(bytes, end);
        if (bytes[at] !== COLON) return NOT_ACCEPTED;
        at = this.#value(bytes, afterSpace(bytes, at + 1), inner);
        if (at === NOT_ACCEPTED) return NOT_ACCEPTED;
        at = afterSpace(bytes, at);
        const byte = bytes[at++];
        if (byte === 0x7d) break;
        if (byte !== COMMA) return NOT_ACCEPTED;
        at = afterSpace(bytes, at);
      }
    }
    this.#depth--;
    if (slot !== 0) this.#rules.end(slot);
    return at;
  }

  #array(bytes: Uint8Array, from: number, slot: number): number {
    if (++this.#depth > MAX_DEPTH) return NOT_ACCEPTED;
    if (slot !== 0) this.#rules.value(slot, 'array', 0, 0);
    const inner = this.#rules.items[slot] ?? 0;
    let at = afterSpace(bytes, from);
    if (bytes[at] === 0x5d) at++;
    else {
      for (;;) {
        at = this.#value(bytes, at, inner);
        if (at === NOT_ACCEPTED) return NOT_ACCEPTED;
        at = afterSpace(bytes, at);
        const byte = bytes[at++];
        if (byte === 0x5d) break;
        if (byte !== COMMA) return NOT_ACCEPTED;
        at = afterSpace(bytes, at);
      }
    }
    this.#depth--;
    if (slot !== 0) this.#rules.end(slot);
    return at;
  }
}
