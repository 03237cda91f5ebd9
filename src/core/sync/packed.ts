/** Rows whose texts are one string. */
const ROWS_A_CHUNK = 128;

/** Form of the values in a list, such as a tuple without the names of their properties. */
export interface PackedForm<Value> {
  readonly pack: (value: Value) => unknown;
  readonly unpack: (packed: never) => Value;
}

const plain = { pack: (value: unknown) => value, unpack: (packed: unknown) => packed };

/**
 * An append-only list of plain JSON values that needs about as much memory as their JSON. As objects, the 300,000 rows of
 * a sync of 100,000 files would need several times as much.
 */
export class Packed<Value> implements Iterable<Value> {
  readonly #chunks: string[] = [];
  #open: string[] = [];
  /** End of each row in its chunk. */
  #ends = new Uint32Array(ROWS_A_CHUNK);
  #length = 0;
  readonly #form: PackedForm<Value>;

  /** @param form of the values. @defaultValue their JSON */
  constructor(form?: PackedForm<Value>) {
    this.#form = form ?? (plain as PackedForm<Value>);
  }

  static of<Value>(values: Iterable<Value>): Packed<Value> {
    if (values instanceof Packed) return values as Packed<Value>;
    const packed = new Packed<Value>();
    for (const value of values) packed.add(value);
    return packed;
  }

  get length(): number {
    return this.#length;
  }

  /** @returns its position */
  add(value: Value): number {
    this.#open.push(JSON.stringify(this.#form.pack(value)));
    if (this.#open.length === ROWS_A_CHUNK) this.#close();
    return this.#length++;
  }

  /** @returns a new object at each call */
  at(position: number): Value {
    const row = position % ROWS_A_CHUNK;
    const chunk = this.#chunks[(position - row) / ROWS_A_CHUNK];
    const start = row === 0 ? 0 : this.#ends[position - 1];
    const text = chunk?.slice(start, this.#ends[position]) ?? this.#open[row] ?? '';
    return this.#form.unpack(JSON.parse(text) as never);
  }

  *[Symbol.iterator](): IterableIterator<Value> {
    for (let position = 0; position < this.#length; position++) yield this.at(position);
  }

  #close(): void {
    const first = this.#chunks.length * ROWS_A_CHUNK;
    if (first + ROWS_A_CHUNK > this.#ends.length) {
      const ends = new Uint32Array(2 * this.#ends.length);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    let end = 0;
    for (const [row, text] of this.#open.entries()) this.#ends[first + row] = end += text.length;
    this.#chunks.push(this.#open.join(''));
    this.#open = [];
  }
}

/** Finds values of a packed list by a text, with 16 to 32 bytes for each value. */
export class PackedIndex<Value> {
  readonly #values: Packed<Value>;
  readonly #keyOf: (value: Value) => string | undefined;
  /** Positions, counted from 1; 0 is free. */
  #slots = new Int32Array(64);
  #hashes = new Int32Array(64);
  #size = 0;

  /** @param keyOf the same for the same value */
  constructor(values: Packed<Value>, keyOf: (value: Value) => string | undefined) {
    this.#values = values;
    this.#keyOf = keyOf;
  }

  get(key: string): Value | undefined {
    const { value } = this.#find(key);
    return value;
  }

  /** Adds a value of the list. @param replaces whether it replaces an earlier value of the same key */
  set(key: string, position: number, replaces: (earlier: Value) => boolean = () => true): void {
    const { slot, value, hash } = this.#find(key);
    if (value !== undefined && !replaces(value)) return;
    this.#slots[slot] = position + 1;
    this.#hashes[slot] = hash;
    if (value !== undefined) return;
    this.#size++;
    if (this.#size * 2 > this.#slots.length) this.#grow();
  }

  #find(key: string): { readonly slot: number; readonly hash: number; readonly value?: Value } {
    const hash = hashOf(key);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const position = this.#slots[slot] as number;
      if (position === 0) return { slot, hash };
      if (this.#hashes[slot] !== hash) continue;
      const value = this.#values.at(position - 1);
      if (this.#keyOf(value) === key) return { slot, hash, value };
    }
  }

  #grow(): void {
    const [slots, hashes] = [this.#slots, this.#hashes];
    this.#slots = new Int32Array(2 * slots.length);
    this.#hashes = new Int32Array(2 * slots.length);
    const mask = this.#slots.length - 1;
    for (const [from, position] of slots.entries()) {
      if (position === 0) continue;
      let slot = (hashes[from] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = position;
      this.#hashes[slot] = hashes[from] as number;
    }
  }
}

/** FNV-1a, mixed, because names differ in their last characters only. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
