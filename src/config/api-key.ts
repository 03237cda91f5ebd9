import { resolve } from 'node:path';
import * as z from 'zod';
import { KeyCommand } from '../keys/key-command.ts';
import { KeyFile, readKeyFile } from '../keys/key-file.ts';
import type { KeyProvider } from '../keys/key-provider.ts';
import { parseProxy } from '../network/proxy.ts';

/** The variable of the official SDKs. */
export const USUAL_API_KEY_ENV = 'OPENAI_API_KEY';
/** The same for Azure. A key of OpenAI is never sent to Azure. */
export const AZURE_API_KEY_ENV = 'AZURE_OPENAI_API_KEY';

/** The key settings of a destination. */
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

const argument = z.string().refine((text) => !text.includes('\0'), 'must not contain a NUL character');
const command = z
  .array(argument, 'must be a list of a program and its arguments')
  .min(1, 'must name a program')
  .refine(([program]) => program?.trim() !== '', 'must name a program');
const seconds = (least: number, most: number) => {
  const problem = `must be a whole number from ${least} to ${most}`;
  return z.number(problem).int(problem).min(least, problem).max(most, problem);
};

/** `apiKeyCommand` of a destination: an argument list, or an object with it. */
export const keyCommandSchema = z.union(
  [
    command.transform((list) => ({
      command: list,
      ttlSeconds: undefined,
      timeoutSeconds: undefined,
      environment: undefined,
    })),
    z.strictObject({
      command,
      ttlSeconds: seconds(10, 86_400).optional(),
      timeoutSeconds: seconds(1, 600).optional(),
      /** Names of more variables that the command gets. */
      environment: z.array(z.string().min(1)).optional(),
    }),
  ],
  'must be a list of a program and its arguments, or an object with "command"',
);

export type KeyCommandConfig = z.infer<typeof keyCommandSchema>;

const DEFAULT_TIMEOUT_SECONDS = 60;

const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'] as const;

/** What command-line tools need to run, to find their own settings, and to reach the network. Nothing else is passed on. */
const PASSED_VARIABLES = [
  'PATH HOME USER LOGNAME LANG LC_ALL LC_CTYPE TZ TMPDIR',
  'XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_RUNTIME_DIR',
  'AZURE_CONFIG_DIR CLOUDSDK_CONFIG',
  'SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS',
]
  .flatMap((names) => names.split(' '))
  .concat(PROXY_VARIABLES.flatMap((name) => [name, name.toLowerCase()]));

/** The provider of a command's key. @param setting names the setting in messages */
export function keyCommandOf(
  { command: list, ttlSeconds, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, environment = [] }: KeyCommandConfig,
  env: Readonly<Record<string, string | undefined>>,
  setting = 'its apiKeyCommand',
): { readonly apiKeyFrom: string; readonly keys: KeyProvider } {
  const passed = [...PASSED_VARIABLES, ...environment].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // The other arguments can be secrets.
  const apiKeyFrom = `${setting} (${list[0]})`;
  const settings = {
    command: list,
    ttlMs: ttlSeconds === undefined ? undefined : ttlSeconds * 1000,
    timeoutMs: timeoutSeconds * 1000,
    environment: Object.fromEntries(passed),
    secrets: PROXY_VARIABLES.flatMap((name) => [env[name], env[name.toLowerCase()]]).flatMap(secretsOfProxy),
  };
  return { apiKeyFrom, keys: new KeyCommand(settings, apiKeyFrom) };
}

function secretsOfProxy(text: string | undefined): readonly string[] {
  try {
    return text === undefined ? [] : parseProxy(text).secrets;
  } catch {
    return [];
  }
}
