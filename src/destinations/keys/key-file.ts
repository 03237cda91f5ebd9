import { ConfigError } from '../../errors.ts';
import { FILE_CHECK_INTERVAL_MS, fileIdentity, fileProblem, readSettingsFile } from '../../network/watched-files.ts';
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
  readonly #label: string;
  readonly #form: KeyForm;
  #key: string | undefined;
  #identity: string | undefined;
  #checkAgainAtMs = 0;
  #checking: Promise<string> | undefined;

  /** @param label names the file in messages */
  constructor(path: string, label: string, form: KeyForm = API_KEY) {
    this.path = path;
    this.#label = label;
    this.#form = form;
  }

  get last(): string | undefined {
    return this.#key;
  }

  load(): void {
    this.#key = readKeyFile(this.path, this.#label, this.#form);
  }

  current(): string | Promise<string> {
    if (this.#key !== undefined && performance.now() < this.#checkAgainAtMs) return this.#key;
    this.#checking ??= this.#check().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  async renewed(rejected: string): Promise<string | undefined> {
    if (this.#key === rejected) {
      this.#identity = undefined;
      this.#checkAgainAtMs = 0;
      await Promise.resolve(this.current()).catch(() => {});
    }
    return this.#key === rejected ? undefined : this.#key;
  }

  async #check(): Promise<string> {
    try {
      // Before the content: a change in between is then detected by the next check.
      const identity = await fileIdentity(this.path);
      if (this.#key === undefined || identity !== this.#identity) {
        this.#key = keyOf(readSettingsFile(this.path), this.#label, this.#form);
        this.#identity = identity;
      }
      return this.#key;
    } catch (error) {
      // A file can be missing or incomplete for a moment while it is replaced.
      if (this.#key !== undefined) return this.#key;
      throw error instanceof ConfigError ? error : new ConfigError(`${this.#label} ${fileProblem(error)}`);
    } finally {
      this.#checkAgainAtMs = performance.now() + FILE_CHECK_INTERVAL_MS;
    }
  }
}

/** @throws ConfigError if the file has no key; the message starts with the label */
export function readKeyFile(path: string, label: string, form: KeyForm = API_KEY): string {
  let content: string;
  try {
    content = readSettingsFile(path);
  } catch (error) {
    throw new ConfigError(`${label} ${fileProblem(error)}`);
  }
  return keyOf(content, label, form);
}

function keyOf(content: string, label: string, { accepts, problem }: KeyForm): string {
  const key = content.trim();
  if (key === '') throw new ConfigError(`${label} is empty`);
  if (!accepts(key)) throw new ConfigError(problem(label));
  return key;
}
