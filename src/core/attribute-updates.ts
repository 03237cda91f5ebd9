import type { AttributeName, AttributeValues } from './attribute-values.ts';

/** Progress alone is told after so much of the whole: twenty times at most, whatever the size. */
const STEP = 0.05;

const ofProgress: readonly AttributeName[] = ['bytesDone', 'percent', 'endsTooEarly'];

/**
 * What of a workflow's search attributes to change, and when: each change is an event of history. It needs no clock, and
 * goes on from what the workflow carries already, so that an execution that continues another one tells nothing twice.
 */
export class AttributeUpdates {
  #shown: Partial<AttributeValues>;
  #toldEndsTooEarly = false;

  /** @param shown what the workflow carries already */
  constructor(shown: Partial<AttributeValues>) {
    this.#shown = shown;
  }

  /**
   * @param isSettled nothing moves, so that there is no later moment for the exact progress
   * @returns what to change now, and takes it as changed; empty when nothing did, or when it may wait
   */
  next(values: Partial<AttributeValues>, isSettled: boolean): Partial<AttributeValues> {
    const names = (Object.keys(values) as AttributeName[]).filter((name) => values[name] !== this.#at(name));
    if (names.length === 0 || !this.#isDue(names, values, isSettled)) return {};
    this.#shown = { ...this.#shown, ...values };
    return Object.fromEntries(names.map((name) => [name, values[name]]));
  }

  #isDue(names: readonly AttributeName[], values: Partial<AttributeValues>, isSettled: boolean): boolean {
    if ((values.bytesDone ?? 0) < (this.#at('bytesDone') ?? 0)) this.#toldEndsTooEarly = false;
    const isNews = values.endsTooEarly === true && names.includes('endsTooEarly') && !this.#toldEndsTooEarly;
    // Near its threshold it comes and goes with every part.
    if (isNews) this.#toldEndsTooEarly = true;
    if (isNews || isSettled || names.some((name) => !ofProgress.includes(name))) return true;
    const grown = (values.bytesDone ?? 0) - (this.#at('bytesDone') ?? 0);
    return grown >= STEP * (values.bytes ?? 0);
  }

  #at<Name extends AttributeName>(name: Name): AttributeValues[Name] | null {
    return (this.#shown as AttributeValues)[name] ?? null;
  }
}
