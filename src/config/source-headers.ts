import { resolve } from 'node:path';
import * as z from 'zod';
import { keyCommandOf, keyCommandSchema } from './api-key.ts';
import { ConfigError } from '../errors.ts';
import { KeyFile, type KeyForm } from '../keys/key-file.ts';
import { FixedKey, type KeyProvider } from '../keys/key-provider.ts';
import { isSecretName } from '../redact.ts';
import {
  isHeaderValue,
  SourceHeaders,
  type SourceHeaderSettings,
  type SourceHeaderValue,
} from '../sources/http/headers.ts';

const secret = z
  .strictObject({
    /** Variable with the value; with `_FILE` after it, variable with the path of a file. */
    env: z.string().trim().regex(/^\w+$/, 'must be the name of an environment variable').optional(),
    file: z.string().startsWith('/', 'must be an absolute path').optional(),
    command: keyCommandSchema.optional(),
    /** Before the value, such as `Bearer `. */
    prefix: z
      .string()
      .regex(/^[\x21-\x7e][\x20-\x7e]*$/, 'must be visible ASCII, such as "Bearer "')
      .optional(),
  })
  .refine(
    ({ env, file, command }) => [env, file, command].filter((place) => place !== undefined).length === 1,
    'must have one of "env" (name of an environment variable), "file" (path) and "command" (list of a program and its arguments)',
  );

/** `sources.http.headers` of the configuration file: secrets by their place, other values as they are. */
export const headersSchema = z.record(
  z.string(),
  z
    .record(
      z.string(),
      z.union([z.string(), secret], 'must be {"env": "VARIABLE"}, {"file": "/path"}, or a text that is not a secret'),
      'must be an object of headers',
    )
    .superRefine((headers, context) => {
      const names = Object.keys(headers);
      if (names.length > 0 && names.every((name) => Object.hasOwn(secret.shape, name))) {
        const message = 'must be a host, for example {"files.example.com": {"Authorization": {"env": "VARIABLE"}}}';
        return context.addIssue({ code: 'custom', message });
      }
      for (const [name, value] of Object.entries(headers)) {
        if (typeof value !== 'string' || !isSecretName(name)) continue;
        const message = 'looks like a secret: use {"env": "VARIABLE"} or {"file": "/path"} instead of a text';
        context.addIssue({ code: 'custom', path: [name], message });
      }
    }),
);

type HeaderConfig = Exclude<z.infer<typeof headersSchema>[string][string], string>;
type Environment = Readonly<Record<string, string | undefined>>;

const HEADER_VALUE: KeyForm = {
  accepts: isHeaderValue,
  problem: (label) => `${label} has characters that a header cannot contain`,
};

/**
 * Returns the headers with their providers. A value that is missing is a problem of the process that sends it: a machine
 * that only starts uploads needs no secret of the workers.
 *
 * @param problems gets the headers and hosts that cannot be used
 */
export function toSourceHeaders(
  config: z.infer<typeof headersSchema> | undefined,
  env: Environment,
  problems: string[],
): SourceHeaderSettings | undefined {
  if (config === undefined) return undefined;
  const hosts = Object.entries(config).map(([host, headers]) => {
    const values = Object.entries(headers).map(([name, value]): [string, SourceHeaderValue] => [
      name,
      typeof value === 'string' ? value : providerOf(value, env),
    ]);
    return [host, Object.fromEntries(values)] as const;
  });
  const settings = Object.fromEntries(hosts);
  try {
    void new SourceHeaders(settings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(error.message);
  }
  return settings;
}

function providerOf(config: HeaderConfig, env: Environment): KeyProvider {
  const { prefix = '' } = config;
  const provider = plainProviderOf(config, env);
  return prefix === '' ? provider : new PrefixedValue(provider, prefix);
}

function plainProviderOf({ env: variable, file, command }: HeaderConfig, env: Environment): KeyProvider {
  if (command !== undefined) return keyCommandOf(command, env, 'its command').keys;
  if (file !== undefined) return new KeyFile(file, `the file ${file}`, HEADER_VALUE);
  return ofVariable(variable as string, env);
}

function ofVariable(variable: string, env: Environment): KeyProvider {
  const value = env[variable]?.trim();
  const path = env[`${variable}_FILE`]?.trim();
  if (value) {
    return isHeaderValue(value) ? new FixedKey(value) : missing(HEADER_VALUE.problem(`the variable ${variable}`));
  }
  if (!path) return missing(`the variable ${variable} is not set, and neither is ${variable}_FILE`);
  return new KeyFile(resolve(path), `the file ${resolve(path)} that ${variable}_FILE names`, HEADER_VALUE);
}

function missing(problem: string): KeyProvider {
  const fail = () => {
    throw new ConfigError(problem);
  };
  return { current: fail, load: fail, renewed: async () => undefined, last: undefined };
}

/** A value with a constant text before it. */
class PrefixedValue implements KeyProvider {
  readonly #value: KeyProvider;
  readonly #prefix: string;

  constructor(value: KeyProvider, prefix: string) {
    this.#value = value;
    this.#prefix = prefix;
  }

  get last(): string | undefined {
    const { last } = this.#value;
    return last === undefined ? undefined : `${this.#prefix}${last}`;
  }

  get path(): string | undefined {
    return this.#value.path;
  }

  load(): void {
    this.#value.load?.();
  }

  async current(): Promise<string> {
    return `${this.#prefix}${await this.#value.current()}`;
  }

  async renewed(rejected: string): Promise<string | undefined> {
    const renewed = await this.#value.renewed(rejected.slice(this.#prefix.length));
    return renewed === undefined ? undefined : `${this.#prefix}${renewed}`;
  }
}
