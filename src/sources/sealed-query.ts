import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { ConfigError } from '../errors.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts the query of a URL, which may be a signature, for its way through Temporal: base64url of
 * `iv (12 bytes) | tag (16 bytes) | ciphertext` by AES-256-GCM, whose key is the SHA-256 of the seal key and whose additional
 * data is the URL without the query, so that a seal can't be moved to another URL.
 */
export function sealQuery(query: string, url: string, sealKey: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(sealKey), iv).setAAD(Buffer.from(url));
  const sealed = Buffer.concat([cipher.update(query, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** @throws ConfigError when it was sealed with another key, or for another URL */
export function openSealedQuery(sealedQuery: string, url: string, sealKey: string): string {
  const bytes = Buffer.from(sealedQuery, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(sealKey), bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(url)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (error) {
    const advice = 'give clients and workers the same LONGHAUL_SEAL_KEY';
    throw new ConfigError(`the query of ${url} was sealed with another key: ${advice}`, { cause: error });
  }
}

function keyOf(sealKey: string): Buffer {
  return createHash('sha256').update(sealKey).digest();
}
