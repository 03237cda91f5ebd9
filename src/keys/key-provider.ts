import { ConfigError } from '../errors.ts';

/** Returns the API key of a destination, which can change while a process runs. */
export interface KeyProvider {
  /** The key for a call that is made now. @throws ConfigError if the key cannot be read, and no earlier key is usable */
  current(): string | Promise<string>;
  /** The key for a repetition after the service rejected `rejected`; undefined if it has not changed. Never rejects. */
  renewed(rejected: string): Promise<string | undefined>;
  /** Checks at a start that there is a key, as far as that takes no time. @throws ConfigError */
  load?(): void;
  /** The key that was returned last, without reading anything. */
  readonly last: string | undefined;
  /** The file that contains the key, if a file does. */
  readonly path?: string | undefined;
}

/** A key that never changes. Output of the object does not show it. */
export class FixedKey implements KeyProvider {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  get last(): string {
    return this.#key;
  }

  current(): string {
    return this.#key;
  }

  async renewed(): Promise<undefined> {}
}

/** Whether the key can be sent as a header. */
export function isKey(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Names the destination in the error of a provider. */
export function keyProblem(destination: string, error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  return new ConfigError(`destination "${destination}" has no API key: ${error.message}`);
}
