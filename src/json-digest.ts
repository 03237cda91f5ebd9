import { createHash } from 'node:crypto';

/** The first hexadecimal digits of the SHA-256 of a value as JSON. */
export function jsonDigest(value: unknown, digits: number): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, digits);
}
