import type { DataConverter } from '@temporalio/common';
import { encryptedDataConverter } from '../encryption/data-converter.ts';

/** The data converter that the environment requests by `LONGHAUL_ENCRYPTION_KEY_FILE`; undefined if it requests none. */
export function environmentDataConverter(env: Readonly<NodeJS.ProcessEnv> = process.env): DataConverter | undefined {
  const keyFile = env['LONGHAUL_ENCRYPTION_KEY_FILE']?.trim();
  return keyFile ? encryptedDataConverter({ keyFile }) : undefined;
}
