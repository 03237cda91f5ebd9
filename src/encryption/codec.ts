import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { ENCRYPTED_ENCODING } from '../core/payload.ts';
import { undecryptable, type EncryptionKey, type EncryptionKeys } from './keys.ts';

const KEY_ID = 'encryption-key-id';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Loads Temporal's messages at the first payload, because they take 0.2 s of CPU time. */
async function payloadMessage() {
  // A CommonJS module, of which Node.js finds no names.
  const { default: proto } = await import('@temporalio/proto');
  return proto.temporal.api.common.v1.Payload;
}

/** Encrypts whole payloads with AES-256-GCM: the nonce of 12 bytes, the encrypted payload, and the tag of 16 bytes. */
export class EncryptionCodec implements PayloadCodec {
  readonly #keys: EncryptionKeys;

  constructor(keys: EncryptionKeys) {
    this.#keys = keys;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const key = await this.#keys.current();
    const message = await payloadMessage();
    return payloads.map((payload) => encrypted(message.encode(payload).finish(), key));
  }

  /**
   * Payloads that are not encrypted stay as they are: those of earlier histories and of callers without a key. So do those
   * without a key ID, which no codec wrote. An error would stop their workflow permanently, as no key can be added for them.
   *
   * @throws ConfigError if the key is missing, or the data was changed
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map((payload) => this.#decrypted(payload)));
  }

  async #decrypted(payload: Payload): Promise<Payload> {
    if (textOf(payload, 'encoding') !== ENCRYPTED_ENCODING) return payload;
    const id = textOf(payload, KEY_ID);
    if (id === '') return payload;
    const { secret } = await this.#keys.find(id);
    const data = Buffer.from(payload.data ?? []);
    const type = await payloadMessage();
    try {
      const decipher = createDecipheriv(CIPHER, secret, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(data.subarray(-TAG_BYTES));
      const message = Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return type.decode(message);
    } catch {
      throw undecryptable(
        `data that was encrypted with the key "${id}" cannot be decrypted: the key of this ID is a different one, or the data is damaged`,
      );
    }
  }
}

function encrypted(message: Uint8Array, { id, secret }: EncryptionKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES });
  const data = Buffer.concat([nonce, cipher.update(message), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: Buffer.from(ENCRYPTED_ENCODING), [KEY_ID]: Buffer.from(id) }, data };
}

function textOf({ metadata }: Payload, name: string): string {
  const value = metadata?.[name];
  return value ? Buffer.from(value).toString() : '';
}
