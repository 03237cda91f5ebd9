/** Rows whose texts are one string. */
const ROWS_A_CHUNK = 128;

/** Form of the values in a list, such as a tuple without the names of their properties. */
export interface PackedForm<Value> {
  readonly pack: (value: Value) => unknown;
  readonly unpack: (packed: never) => Value;
}

/** Keeps texts, for example outside the memory. */
export interface TextStore {
  /** Adds a text at the next position. */
  readonly add: (text: string) => void;
  readonly at: (position: number) => string;
}

function textsInMemory(): TextStore {
  const texts: string[] = [];
  return { add: (text) => texts.push(text), at: (position) => texts[position] ?? '' };
}

const plain = { pack: (value: unknown) => value, unpack: (packed: unknown) => packed };

/**
 * An append-only list of plain JSON values that needs about as much memory as their JSON. As objects, the 300,000 rows of
 * a sync of 100,000 files would need several times as much.
 */
export class Packed<Value> implements Iterable<Value> {
  readonly #chunks: TextStore;
  #open: string[] = [];
  /** End of each row in its chunk. */
  #ends = new Uint32Array(ROWS_A_CHUNK);
  #length = 0;
  readonly #form: PackedForm<Value>;

  /**
   * @param form of the values. @defaultValue their JSON
   * @param texts of groups of values. @defaultValue in memory
   */
  constructor(form?: PackedForm<Value>, texts = textsInMemory()) {
    this.#chunks = texts;
    this.#form = form ?? (plain as PackedForm<Value>);
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
    const isOpen = position - row === this.#length - this.#open.length;
    const start = row === 0 ? 0 : this.#ends[position - 1];
    const text = isOpen
      ? this.#open[row]
      : this.#chunks.at((position - row) / ROWS_A_CHUNK).slice(start, this.#ends[position]);
    return this.#form.unpack(JSON.parse(text ?? '') as never);
  }

  *[Symbol.iterator](): IterableIterator<Value> {
    for (let position = 0; position < this.#length; position++) yield this.at(position);
  }

  #close(): void {
    const first = this.#length + 1 - ROWS_A_CHUNK;
    if (first + ROWS_A_CHUNK > this.#ends.length) {
      const ends = new Uint32Array(2 * this.#ends.length);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    let end = 0;
    for (const [row, text] of this.#open.entries()) this.#ends[first + row] = end += text.length;
    this.#chunks.add(this.#open.join(''));
    this.#open = [];
  }
}
