import { ConfigError } from '../errors.ts';
import { fileIdentity, fileProblem, readSettingsFile, WatchedValue } from '../network/watched-files.ts';
import { isKey, type KeyProvider } from './key-provider.ts';

/** Which content of a file is usable. */
export interface KeyForm {
  readonly accepts: (text: string) => boolean;
  /** Message about another content. */
  readonly problem: (label: string) => string;
}

const API_KEY: KeyForm = {
  accepts: isKey,
  problem: (label) => `the API key in ${label} contains invalid characters`,
};

/** A key in a file, which is read again when the file changes. */
export class KeyFile implements KeyProvider {
  readonly path: string;
  readonly #read: () => string;
  readonly #key: WatchedValue<string>;

  /** @param label names the file in messages */
  constructor(path: string, label: string, form: KeyForm = API_KEY) {
    this.path = path;
    this.#read = () => readKeyFile(path, label, form);
    const identify = () => fileIdentity(path).catch((error: unknown) => cannotRead(label, error));
    this.#key = new WatchedValue(identify, this.#read);
  }

  get last(): string | undefined {
    return this.#key.last;
  }

  load(): void {
    this.#key.set(this.#read());
  }

  current(): string | Promise<string> {
    return this.#key.current();
  }

  async renewed(rejected: string): Promise<string | undefined> {
    if (this.last === rejected) await this.#key.reload().catch(() => {});
    return this.last === rejected ? undefined : this.last;
  }
}

/** @throws ConfigError if the file has no key; the message starts with the label */
export function readKeyFile(path: string, label: string, form: KeyForm = API_KEY): string {
  let content: string;
  try {
    content = readSettingsFile(path);
  } catch (error) {
    return cannotRead(label, error);
  }
  return keyOf(content, label, form);
}

function cannotRead(label: string, error: unknown): never {
  throw new ConfigError(`${label} ${fileProblem(error)}`);
}

function keyOf(content: string, label: string, { accepts, problem }: KeyForm): string {
  const key = content.trim();
  if (key === '') throw new ConfigError(`${label} is empty`);
  if (!accepts(key)) throw new ConfigError(problem(label));
  return key;
}
