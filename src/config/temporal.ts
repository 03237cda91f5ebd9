import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import * as z from 'zod';
import { causeOf, errnoOf } from '../core/text/errno-cause.ts';
import { encryptedDataConverter } from '../encryption/data-converter.ts';
import { readSettingsFile } from '../network/watched-files.ts';

type Environment = Readonly<Record<string, string>>;

/** Variables of Temporal's own configuration that name files. */
const files = ['TEMPORAL_TLS_CLIENT_CERT_PATH', 'TEMPORAL_TLS_CLIENT_KEY_PATH', 'TEMPORAL_TLS_SERVER_CA_CERT_PATH'];

/** Types of the values that a file can contain: the loader passes on whatever it finds. */
const loaded = z.object({
  namespace: z.string('namespace must be a text').optional(),
  connectionOptions: z.object({
    address: z.string('address must be a text such as "temporal:7233"').optional(),
    apiKey: z.string('api_key must be a text').optional(),
  }),
});

/** Undefined: not set. */
export interface TemporalSettings {
  /** `HOST` or `HOST:PORT`. */
  readonly address: string | undefined;
  readonly namespace: string | undefined;
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
}

/**
 * Returns the settings of Temporal's own variables and of its file.
 *
 * @throws Error with one line that names the variable or the file
 */
export function temporalSettings(env: Readonly<Record<string, string | undefined>> = process.env): TemporalSettings {
  const { connectionOptions, namespace } = loadTemporalConnection(
    Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  );
  const address = connectionOptions.address || undefined;
  if (address !== undefined && !isAddress(address)) {
    throw new Error(`TEMPORAL_ADDRESS "${address}" is not HOST:PORT`);
  }
  return { address, namespace, connectionOptions };
}

function isAddress(text: string): boolean {
  const [, port = '1'] = /^(?:[^\s:]+|\[[0-9a-f:]+\](?=:))(?::(\d+))?$/i.exec(text) ?? ['', '0'];
  return Number(port) > 0 && Number(port) < 65_536;
}

/**
 * Loads Temporal's own configuration: its variables and its file.
 *
 * @throws Error with one line. Temporal's loader ignores a missing file, also if a variable names it.
 */
function loadTemporalConnection(env: Environment): ClientConnectConfig {
  const configFile = env['TEMPORAL_CONFIG_FILE'];
  const isEmpty = configFile !== undefined && readNamed('TEMPORAL_CONFIG_FILE', configFile).trim() === '';
  for (const variable of files) {
    const path = env[variable];
    if (path !== undefined) readNamed(variable, path);
  }
  const label = configFile === undefined ? "Temporal's client configuration" : `TEMPORAL_CONFIG_FILE ${configFile}`;
  let config: ClientConnectConfig;
  try {
    config = loadClientConnectConfig({ overrideEnvVars: { ...env }, disableFile: isEmpty });
  } catch (error) {
    throw new Error(`${label}: ${problemOf(error)}`, { cause: error });
  }
  const checked = loaded.safeParse(config);
  if (!checked.success) throw new Error(`${label}: ${checked.error.issues.map(({ message }) => message).join(', ')}`);
  return config;
}

function readNamed(variable: string, path: string): string {
  try {
    return readSettingsFile(path);
  } catch (error) {
    throw new Error(`cannot read ${path}, which ${variable} names: ${causeOf(error)}`, { cause: error });
  }
}

function problemOf(error: unknown): string {
  const { message, path, line } = error as NodeJS.ErrnoException & { readonly line?: number };
  if (errnoOf(error) !== undefined) return `cannot read ${path}: ${causeOf(error)}`;
  if (error instanceof TypeError) return 'it has no table such as [profile.default]';
  // The parser of TOML also shows lines of the file, which may contain an API key.
  const [first = ''] = message.split('\n');
  return line === undefined ? first : `${first} in line ${line}`;
}

/** The data converter that the environment requests by `LONGHAUL_ENCRYPTION_KEY_FILE`; undefined if it requests none. */
export function environmentDataConverter(env: Readonly<NodeJS.ProcessEnv> = process.env): DataConverter | undefined {
  const keyFile = env['LONGHAUL_ENCRYPTION_KEY_FILE']?.trim();
  return keyFile ? encryptedDataConverter({ keyFile }) : undefined;
}
