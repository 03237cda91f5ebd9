import { resolve } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { ConfigError } from '../errors.ts';
import { packageFiles } from '../package-files.ts';
import { EncryptionCodec } from './codec.ts';
import { EncryptionKeys } from './keys.ts';

export interface EncryptionOptions {
  /** Path of the key file: lines with a key ID and 32 bytes as Base64. The first key encrypts, all keys decrypt. */
  readonly keyFile: string;
}

/**
 * Returns a data converter for clients and workers of Temporal's SDK that encrypts with AES-256-GCM: inputs, results,
 * heartbeats, failures, memo, summaries and details. Search attributes stay readable.
 *
 * @throws ConfigError if the key file cannot be read, or has no valid keys
 */
export function encryptedDataConverter(options: EncryptionOptions): DataConverter {
  // Programs without types can pass any value.
  const { keyFile } = (options ?? {}) as { readonly keyFile?: unknown };
  if (typeof keyFile !== 'string' || keyFile === '') throw new ConfigError('"keyFile" must be a non-empty string');
  const codec = new EncryptionCodec(new EncryptionKeys(resolve(keyFile)));
  return { payloadCodecs: [codec], failureConverterPath: packageFiles.failureConverter };
}
