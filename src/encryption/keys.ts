import { FailureType } from '../contracts/failures.ts';
import { ConfigError } from '../errors.ts';
import { fileIdentity, fileProblem, readSettingsFile, WatchedValue } from '../network/watched-files.ts';

export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Buffer;
}

/**
 * The data needs another key, or it was changed. Temporal's SDK uses the name as the type of the activity's failure: the
 * upload then waits for the worker's configuration.
 */
export function undecryptable(message: string): ConfigError {
  return Object.assign(new ConfigError(message), { name: FailureType.ConfigInvalid });
}

const KEY_BYTES = 32;
const keyId = /^[\w.-]{1,64}$/;
const howTo = 'Each line must have a key ID and 32 bytes as Base64, such as the output of "openssl rand -base64 32"';

/**
 * The keys of an encryption key file. Its first key encrypts. The others decrypt what was encrypted before. The file is
 * read again when it changes, so that a new key needs no restart.
 */
export class EncryptionKeys {
  readonly #path: string;
  readonly #keys: WatchedValue<readonly EncryptionKey[]>;

  /** @throws ConfigError if the file cannot be read, or has no valid keys */
  constructor(path: string) {
    this.#path = path;
    const read = () => parseKeys(readSettingsFile(path), path);
    this.#keys = new WatchedValue(() => fileIdentity(path), read);
    try {
      this.#keys.set(read());
    } catch (error) {
      throw error instanceof ConfigError
        ? error
        : new ConfigError(`the encryption key file ${path} ${fileProblem(error)}`);
    }
  }

  /** The key that encrypts now. */
  async current(): Promise<EncryptionKey> {
    const [first] = await this.#keys.current();
    return first as EncryptionKey;
  }

  /** @throws ConfigError */
  async find(id: string): Promise<EncryptionKey> {
    const inKeys = (keys: readonly EncryptionKey[]) => keys.find((key) => key.id === id);
    // A process that only decrypts also forgets a removed key.
    const key = inKeys(await this.#keys.current()) ?? inKeys(await this.#keys.check());
    if (key) return key;
    throw undecryptable(
      `the data is encrypted with the key "${id.slice(0, 64)}", which ${this.#path} does not contain. Add this key to the file`,
    );
  }
}

function parseKeys(content: string, path: string): readonly EncryptionKey[] {
  const keys: EncryptionKey[] = [];
  for (const [index, line] of content.split(/\r?\n/).entries()) {
    const [id = '', secret = '', ...rest] = line.trim().split(/\s+/);
    if (id === '' || id.startsWith('#')) continue;
    // No message contains a word of the line: each can be a key.
    const fail = (problem: string): never => {
      throw new ConfigError(`line ${index + 1} of the encryption key file ${path} ${problem}. ${howTo}`);
    };
    if (secret === '' || rest.length > 0) fail('does not have two words');
    if (!keyId.test(id)) fail('has an invalid key ID: it can have 64 letters, digits and the characters . _ -');
    const bytes = Buffer.from(secret, 'base64');
    if (bytes.length !== KEY_BYTES || !isBase64Of(secret, bytes)) fail('has an invalid key');
    if (keys.some((key) => key.id === id)) fail('has the key ID of an earlier line');
    keys.push({ id, secret: bytes });
  }
  if (keys.length === 0) throw new ConfigError(`the encryption key file ${path} contains no key. ${howTo}`);
  return keys;
}

/** `Buffer.from` skips invalid characters. */
function isBase64Of(text: string, bytes: Buffer): boolean {
  return (
    bytes.toString('base64').replaceAll('=', '') === text.replaceAll('=', '').replaceAll('-', '+').replaceAll('_', '/')
  );
}
