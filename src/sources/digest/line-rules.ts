export type ValueKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** The keys of an object that the rules name. */
export class Keys {
  readonly #names: readonly Buffer[];
  /** Separate, because most keys differ in their length. */
  readonly #lengths: readonly number[];
  readonly #slots: readonly number[];

  constructor(slots: Readonly<Record<string, number>>) {
    this.#names = Object.keys(slots).map((name) => Buffer.from(name));
    this.#lengths = this.#names.map(({ length }) => length);
    this.#slots = Object.values(slots);
  }

  /** @returns the slot of the key from `from` to `to`; 0: none */
  find(bytes: Uint8Array, from: number, to: number): number {
    const lengths = this.#lengths;
    for (let index = 0; index < lengths.length; index++) {
      if (lengths[index] === to - from && isAt(bytes, from, this.#names[index] as Buffer)) {
        return this.#slots[index] as number;
      }
    }
    return 0;
  }
}

function isAt(bytes: Uint8Array, from: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[from + index] !== name[index]) return false;
  return true;
}

/**
 * Rules about the values of a line. A slot is a number for a value that the rules name, and 0 for the others. If an object
 * has a key twice, the last value counts, as for `JSON.parse`.
 */
export interface LineRules {
  /** Slot of the value of a line. */
  readonly top: number;
  /** By slot: the keys of an object. */
  readonly keys: readonly (Keys | undefined)[];
  /** By slot: the slot of the items of an array. */
  readonly items: readonly (number | undefined)[];
  /** By slot: whether `value` needs the hash of a string. */
  readonly hashed: readonly (boolean | undefined)[];
  /** Slot of the hashed string that usually differs between lines; 0: none. */
  readonly varying: number;
  /** A line starts. */
  start(): void;
  /** A value; for an object or an array, its start. The numbers are the hash of a string; 0: not needed. */
  value(slot: number, kind: ValueKind, hash1: number, hash2: number): void;
  /** The end of an object or an array. */
  end(slot: number): void;
  /** The problem of a line that is valid JSON; undefined for a valid line. */
  problem(): string | undefined;
}

export const TOP = 1;

/** A dense array, which is faster than a map. */
export function bySlot<T>(values: Readonly<Record<number, T>>): readonly (T | undefined)[] {
  const slots = Math.max(TOP, ...Object.keys(values).map(Number));
  return Array.from({ length: slots + 1 }, (_, slot) => values[slot]);
}

export const NOT_AN_OBJECT = 'is not a JSON object';

export class ObjectRules implements LineRules {
  readonly top = TOP;
  readonly keys = [];
  readonly items = [];
  readonly hashed = [];
  readonly varying = 0;
  #isObject = false;

  start(): void {
    this.#isObject = false;
  }

  value(_slot: number, kind: ValueKind): void {
    this.#isObject = kind === 'object';
  }

  problem(): string | undefined {
    return this.#isObject ? undefined : NOT_AN_OBJECT;
  }

  end(): void {}
}
