import { seededRandom } from '../../src/local-api/faults.ts';

/**
 * Numbers that depend only on the seed and on a key, not on how many were drawn before. If one event is removed from a
 * plan, all other numbers stay the same, so a failure can shrink.
 */
export class Dice {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A number in [0, 1). */
  unit(key: string): number {
    return seededRandom(hash(`${this.#seed}/${key}`))();
  }

  /** A whole number, both ends included. */
  whole(key: string, least: number, most: number): number {
    return least + Math.floor(this.unit(key) * (most - least + 1));
  }

  chance(key: string, probability: number): boolean {
    return this.unit(key) < probability;
  }

  one<T>(key: string, choices: readonly T[]): T {
    return choices[this.whole(key, 0, choices.length - 1)] as T;
  }

  weighted<T>(key: string, choices: readonly (readonly [weight: number, value: T])[]): T {
    let toss = this.unit(key) * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      toss -= weight;
      if (toss < 0) return value;
    }
    return (choices.at(-1) as readonly [number, T])[1];
  }
}

/** FNV-1a. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
