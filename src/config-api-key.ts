import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The variable of the official SDKs. */
export const USUAL_API_KEY_ENV = 'OPENAI_API_KEY';

/** What a destination says about its key. */
export interface ApiKeySettings {
  /** Variable with the key; with `_FILE` behind it, the variable with the path of a file that holds it. */
  readonly apiKeyEnv: string | undefined;
  /** Absolute path of a file that holds the key. */
  readonly apiKeyFile: string | undefined;
}

export interface FoundApiKey {
  /** Where the key is looked for, in words for messages. */
  readonly apiKeyFrom: string;
  readonly apiKey: string | undefined;
  /** Why there is no key in the file that should hold it. */
  readonly apiKeyProblem?: string;
  /** The file that contains the key. */
  readonly apiKeyPath?: string;
}

/**
 * The key of a destination: from its variable, or the file that its `_FILE` variable names, or its own file. A file that
 * can't be read is a problem of whoever needs the key: commands that only ask Temporal have none.
 */
export function findApiKey(
  { apiKeyEnv, apiKeyFile }: ApiKeySettings,
  env: Readonly<Record<string, string | undefined>>,
): FoundApiKey {
  const variable = apiKeyEnv ?? USUAL_API_KEY_ENV;
  const fileVariable = `${variable}_FILE`;
  // A file of its own means another key than the usual one, which must not go to a service that it isn't meant for.
  if (apiKeyEnv !== undefined || apiKeyFile === undefined) {
    const apiKey = env[variable]?.trim();
    if (apiKey) return { apiKeyFrom: variable, apiKey };
    const path = env[fileVariable]?.trim();
    if (path) return readApiKey(resolve(path), `the file ${resolve(path)} that ${fileVariable} names`);
  }
  if (apiKeyFile !== undefined) return readApiKey(apiKeyFile, `its apiKeyFile ${apiKeyFile}`);
  return { apiKeyFrom: `${variable} or ${fileVariable}`, apiKey: undefined };
}

function readApiKey(path: string, apiKeyFrom: string): FoundApiKey {
  const problem = (what: string): FoundApiKey => ({
    apiKeyFrom,
    apiKey: undefined,
    apiKeyProblem: `${apiKeyFrom} ${what}`,
  });
  try {
    const apiKey = readFileSync(path, 'utf8').trim();
    return apiKey ? { apiKeyFrom, apiKey, apiKeyPath: path } : problem('is empty');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return problem('does not exist');
    return problem(`can't be read: ${message}`);
  }
}
