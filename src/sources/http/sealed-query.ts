import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';
import { ConfigError, SourceForbiddenError, SourceUnusableError } from '../../errors.ts';
import { rememberSecrets } from '../../redact.ts';

const FORMAT = 'v2.';
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export const MIN_SEAL_KEY_CHARACTERS = 16;

/** 32 MiB and about 0.1 s: a secret that is easy to remember must be hard to guess from a sealed query. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
/** Clients and workers share only the secret, so the salt is the same for all. */
const SALT = 'longhaul sealed query 2';

/** The only place where a sealed query can be opened. */
export interface SealedFor {
  /** Without the query. */
  readonly url: string;
  /** Of the upload that the caller started. */
  readonly workflowId: string;
}

interface DerivedKey {
  readonly key: Buffer;
  /** Shows which secret a query was sealed with. */
  readonly id: Buffer;
}

/**
 * Encrypts the query of a URL, which can be a signature, for its way through Temporal: base64url of
 * `key ID (4 bytes) | IV (12) | tag (16) | ciphertext` by AES-256-GCM. Its key is derived from the secret by scrypt. Its
 * additional data binds it to the rest of the URL and to one workflow.
 *
 * @throws ConfigError if the secret is too short
 */
export function sealQuery(query: string, place: SealedFor, secret: string): string {
  const { key, id } = derive(secret);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(additionalData(place));
  const sealed = Buffer.concat([cipher.update(query, 'utf8'), cipher.final()]);
  return FORMAT + Buffer.concat([id, iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/**
 * @param secrets the current secret, and older ones that are still accepted
 * @throws SourceForbiddenError if it was sealed for another workflow or URL, or is damaged
 * @throws SourceUnusableError if an earlier version of Longhaul sealed it
 * @throws ConfigError if it was sealed with another secret, or a secret is too short
 */
export function openSealedQuery(sealedQuery: string, place: SealedFor, secrets: readonly string[]): string {
  const { url } = place;
  if (!sealedQuery.startsWith(FORMAT)) {
    throw new SourceUnusableError(
      `cannot open the sealed query of ${url}: another version of Longhaul sealed it. Start the upload again with the URL.`,
    );
  }
  const bytes = Buffer.from(sealedQuery.slice(FORMAT.length), 'base64url');
  const id = bytes.subarray(0, KEY_ID_BYTES);
  const known = secrets.map(derive).find((derived) => derived.id.equals(id));
  if (!known) {
    throw new ConfigError(
      `cannot open the sealed query of ${url}: it was sealed with another key. ` +
        'Set LONGHAUL_SEAL_KEY to the key of the client, or LONGHAUL_SEAL_KEY_PREVIOUS if that key was replaced.',
    );
  }
  const rest = bytes.subarray(KEY_ID_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', known.key, rest.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(additionalData(place)).setAuthTag(rest.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(rest.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new SourceForbiddenError(
      `cannot open the sealed query of ${url}: it was sealed for another upload or URL, or is damaged. Start the upload with the URL.`,
      { cause: error },
    );
  }
}

const derivedKeys = new Map<string, DerivedKey>();

/** Derives once for each secret: it takes too long for each part. */
function derive(secret: string): DerivedKey {
  const known = derivedKeys.get(secret);
  if (known) return known;
  if (secret.length < MIN_SEAL_KEY_CHARACTERS) {
    throw new ConfigError(
      `the seal key must have at least ${MIN_SEAL_KEY_CHARACTERS} characters, for example the output of "openssl rand -hex 32"`,
    );
  }
  rememberSecrets([secret]);
  const key = scryptSync(secret, SALT, 32, SCRYPT);
  const id = createHash('sha256').update('key ID').update(key).digest().subarray(0, KEY_ID_BYTES);
  derivedKeys.set(secret, { key, id });
  return { key, id };
}

function additionalData({ url, workflowId }: SealedFor): Buffer {
  return Buffer.from(JSON.stringify([workflowId, url]));
}
