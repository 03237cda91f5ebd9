import { bySlot, Keys, NOT_AN_OBJECT, TOP, type LineRules, type ValueKind } from './line-rules.ts';

const [CUSTOM_ID, METHOD, URL, BODY, MODEL] = [2, 3, 4, 5, 6];
const BATCH_SLOTS = 7;
const batchKeys = bySlot({
  [TOP]: new Keys({ custom_id: CUSTOM_ID, method: METHOD, url: URL, body: BODY }),
  [BODY]: new Keys({ model: MODEL }),
});
const batchHashed = bySlot({ [CUSTOM_ID]: true, [URL]: true, [MODEL]: true });

/** The hashes of a valid line of a batch that are compared between lines. It changes with the next line. */
export interface BatchLine {
  /** Hashes of 2 × 32 bits, at the indexes of `HASH_AT`. */
  readonly hashes: Int32Array;
  readonly hasModel: boolean;
}

export const HASH_AT = { customId: 2 * CUSTOM_ID, url: 2 * URL, model: 2 * MODEL } as const;

export class BatchRules implements LineRules, BatchLine {
  readonly top = TOP;
  readonly keys = batchKeys;
  readonly items = [];
  readonly hashed = batchHashed;
  readonly varying = CUSTOM_ID;
  readonly hashes = new Int32Array(2 * BATCH_SLOTS);
  readonly #kinds: (ValueKind | undefined)[] = Array.from({ length: BATCH_SLOTS }, () => undefined);

  get hasModel(): boolean {
    return this.#kinds[MODEL] === 'string';
  }

  start(): void {
    for (let slot = TOP; slot < BATCH_SLOTS; slot++) this.#kinds[slot] = undefined;
  }

  value(slot: number, kind: ValueKind, hash1: number, hash2: number): void {
    this.#kinds[slot] = kind;
    this.hashes[2 * slot] = hash1;
    this.hashes[2 * slot + 1] = hash2;
    if (slot === BODY) this.#kinds[MODEL] = undefined;
  }

  end(): void {}

  problem(): string | undefined {
    if (this.#kinds[TOP] !== 'object') return NOT_AN_OBJECT;
    for (let index = 0; index < required.length; index++) {
      const { name, slot, kind } = required[index] as (typeof required)[number];
      const found = this.#kinds[slot];
      if (found === undefined) return `has no "${name}"`;
      if (found !== kind) return `has a "${name}" that is not ${kind === 'object' ? 'an object' : 'a string'}`;
    }
    return undefined;
  }
}

const required = [
  { name: 'custom_id', slot: CUSTOM_ID, kind: 'string' },
  { name: 'method', slot: METHOD, kind: 'string' },
  { name: 'url', slot: URL, kind: 'string' },
  { name: 'body', slot: BODY, kind: 'object' },
] as const;
