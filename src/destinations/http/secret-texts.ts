import { createRedact, type Redact } from '../../redact.ts';

/** Old keys that are still redacted: a service can repeat a key in a late response. */
const MOST_KEYS = 16;

/** The secrets of a destination, whose key can change: texts lose the present key and the previous ones. */
export class SecretTexts {
  readonly #named: readonly Readonly<Record<string, string>>[];
  readonly #ofKey = new Map<string, Redact>();

  /** @param named as for `createRedact` */
  constructor(...named: readonly Readonly<Record<string, string>>[]) {
    this.#named = named;
  }

  addKey(key: string): void {
    if (this.#ofKey.has(key)) return;
    this.#ofKey.set(key, createRedact(key, ...this.#named));
    const [oldest = ''] = this.#ofKey.keys();
    if (this.#ofKey.size > MOST_KEYS) this.#ofKey.delete(oldest);
  }

  readonly redact: Redact = (text) => [...this.#ofKey.values()].reduce((redacted, redact) => redact(redacted), text);
}
