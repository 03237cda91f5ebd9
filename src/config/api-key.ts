import { resolve } from 'node:path';
import { keyCommandOf, type KeyCommandConfig } from './key-command.ts';
import { KeyFile, readKeyFile } from '../destinations/keys/key-file.ts';
import type { KeyProvider } from '../destinations/keys/key-provider.ts';

/** The variable of the official SDKs. */
export const USUAL_API_KEY_ENV = 'OPENAI_API_KEY';
/** The same for Azure. A key of OpenAI is never sent to Azure. */
export const AZURE_API_KEY_ENV = 'AZURE_OPENAI_API_KEY';

/** What a destination says about its key. */
export interface ApiKeySettings {
  /** Variable with the key; with `_FILE` after it, the variable with the path of a file that contains it. */
  readonly apiKeyEnv: string | undefined;
  /** Absolute path of a file that contains the key. */
  readonly apiKeyFile: string | undefined;
  /** Command that prints the key. */
  readonly apiKeyCommand?: KeyCommandConfig | undefined;
}

export interface FoundApiKey {
  /** The origin of the key, for messages. */
  readonly apiKeyFrom: string;
  /** The current key; undefined for the key of a command, which has not run yet. */
  readonly apiKey: string | undefined;
  /** The reason why the file does not contain a key. */
  readonly apiKeyProblem?: string;
  /** The file that contains the key. */
  readonly apiKeyPath?: string;
  /** For a key that can change. */
  readonly keys?: KeyProvider;
  /** Stays the same when a key of a file or a command changes. @defaultValue the key */
  readonly keyIdentity?: string;
}

/**
 * Returns the key of a destination: from its variable, the file of its `_FILE` variable, or its own file. If the file
 * cannot be read, only processes that need the key fail. Commands that only query Temporal do not.
 *
 * @param usual variable of a destination that names none
 */
export function findApiKey(
  { apiKeyEnv, apiKeyFile, apiKeyCommand }: ApiKeySettings,
  env: Readonly<Record<string, string | undefined>>,
  usual = USUAL_API_KEY_ENV,
): FoundApiKey {
  const variable = apiKeyEnv ?? usual;
  const fileVariable = `${variable}_FILE`;
  // With its own file, the destination has another key than the usual one, which must not be sent to another service.
  if (apiKeyEnv !== undefined || (apiKeyFile ?? apiKeyCommand) === undefined) {
    const apiKey = env[variable]?.trim();
    if (apiKey) return { apiKeyFrom: variable, apiKey };
    const path = env[fileVariable]?.trim();
    if (path) return ofFile(resolve(path), `the file ${resolve(path)} that ${fileVariable} names`);
  }
  if (apiKeyFile !== undefined) return ofFile(apiKeyFile, `its apiKeyFile ${apiKeyFile}`);
  if (apiKeyCommand !== undefined) return ofCommand(apiKeyCommand, env);
  return { apiKeyFrom: `${variable} or ${fileVariable}`, apiKey: undefined };
}

function ofCommand(config: KeyCommandConfig, env: Readonly<Record<string, string | undefined>>): FoundApiKey {
  const { apiKeyFrom, keys } = keyCommandOf(config, env);
  return { apiKeyFrom, apiKey: undefined, keys, keyIdentity: `command ${JSON.stringify(config.command)}` };
}

function ofFile(path: string, apiKeyFrom: string): FoundApiKey {
  const found = { apiKeyFrom, apiKeyPath: path, keys: new KeyFile(path, apiKeyFrom), keyIdentity: `file ${path}` };
  try {
    return { ...found, apiKey: readKeyFile(path, apiKeyFrom) };
  } catch (error) {
    return { ...found, apiKey: undefined, apiKeyProblem: (error as Error).message };
  }
}
