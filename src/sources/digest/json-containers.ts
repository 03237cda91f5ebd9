export const ARRAY = 0;
export const OBJECT = 1;

/** Deeper lines are rejected. */
const MAX_DEPTH = 4 * 1024 * 1024;

/** The arrays and objects that are open at a position of a line. */
export class OpenContainers {
  depth = 0;
  #kinds = new Uint8Array(1024);
  /** What the rules call each container; 0: nothing. */
  #slots = new Uint8Array(1024);

  /** Kind of the innermost container. */
  get kind(): number | undefined {
    return this.#kinds[this.depth - 1];
  }

  /** Slot of the innermost container. */
  get slot(): number {
    return this.#slots[this.depth - 1] as number;
  }

  /** @returns false if the line is nested too deeply */
  open(kind: number, slot: number): boolean {
    if (this.depth === MAX_DEPTH) return false;
    if (this.depth === this.#kinds.length) {
      this.#kinds = doubled(this.#kinds);
      this.#slots = doubled(this.#slots);
    }
    this.#kinds[this.depth] = kind;
    this.#slots[this.depth] = slot;
    this.depth++;
    return true;
  }
}

function doubled(array: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * array.length);
  larger.set(array);
  return larger;
}
