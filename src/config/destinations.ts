import { AZURE_API_KEY_ENV, findApiKey, USUAL_API_KEY_ENV } from './api-key.ts';
import { DEFAULT_BASE_URL, type DestinationInFile } from './destination-schema.ts';
import { isQuoted, QUOTED } from './values.ts';
import { Defaults, type DestinationLimits } from '../contracts/limits.ts';
import { changed } from '../core/objects.ts';
import { ConfigError } from '../errors.ts';
import { NO_PROXY_SETTING, proxySettingFor, type ProxyRules } from '../network/proxy.ts';
import { limitsOf } from '../destinations/limits.ts';
import type { DestinationProfile } from '../destinations/profile.ts';
import { isKey, keyProblem, type KeyProvider } from '../keys/key-provider.ts';

/** The destinations of a configuration. */
export interface ConfiguredDestinations {
  readonly destinations: ReadonlyMap<string, DestinationConfig>;
  /** Proxies of the environment; undefined: none. */
  readonly proxies: ProxyRules | undefined;
}

/** A destination before its key is needed. */
export interface DestinationConfig extends Omit<DestinationProfile, 'apiKey'> {
  /** The origin of the key, for messages. */
  readonly apiKeyFrom: string;
  readonly apiKey: string | undefined;
  /** The reason why the file does not contain a key. */
  readonly apiKeyProblem?: string | undefined;
  /** The file that contains the key, if a file does. */
  readonly apiKeyPath?: string | undefined;
  /** For a key that can change. */
  readonly keys?: KeyProvider | undefined;
  /** Stays the same when the key of a file or a command changes. @defaultValue the key */
  readonly keyIdentity?: string | undefined;
  /** Purposes of this service in addition to the usual ones. */
  readonly purposes?: readonly string[] | undefined;
}

/** Returns the destinations of the environment and of the config file. */
export function readDestinations(
  values: DestinationVariables,
  inFile: Readonly<Record<string, DestinationInFile>> = {},
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, DestinationConfig> {
  const { [Defaults.destination]: usual, ...others } = inFile;
  const first = { [Defaults.destination]: usual?.kind === 'azure' ? usual : defaultDestination(values, usual) };
  return new Map(
    Object.entries({ ...first, ...azureDestination(values), ...others }).map(
      ([name, { apiKeyEnv, apiKeyFile, apiKeyCommand, ...settings }]) => [
        name,
        { name, ...settings, ...findApiKey({ apiKeyEnv, apiKeyFile, apiKeyCommand }, env, usualKeyOf(settings.kind)) },
      ],
    ),
  );
}

/**
 * Returns the destination with this name.
 *
 * @throws ConfigError if it does not exist
 */
export function findDestination({ destinations }: ConfiguredDestinations, name: string): DestinationConfig {
  const found = destinations.get(name);
  if (found) return found;
  const known = [...destinations.keys()].join(', ');
  throw new ConfigError(`destination "${name}" not found. Use a destination of this configuration: ${known}.`);
}

/**
 * Returns the destination with this name and its key.
 *
 * @throws ConfigError if it does not exist, or its key is missing or cannot be sent in a header
 */
export function requireDestination(config: ConfiguredDestinations, name: string): DestinationProfile {
  const found = findDestination(config, name);
  const {
    apiKeyFrom,
    apiKey,
    apiKeyProblem,
    apiKeyPath: _path,
    keys,
    keyIdentity: _identity,
    purposes: _purposes,
    ...settings
  } = found;
  const network = withNetwork(config, settings);
  // The file can have been corrected after the configuration was read.
  if (keys) {
    try {
      keys.load?.();
    } catch (error) {
      throw keyProblem(name, error);
    }
    return { ...network, apiKey: keys };
  }
  if (!apiKey) throw new ConfigError(`destination "${name}" has no API key: ${apiKeyProblem ?? `set ${apiKeyFrom}`}`);
  if (isQuoted(apiKey)) throw new ConfigError(`the API key in ${apiKeyFrom} ${QUOTED}.`);
  if (!isKey(apiKey)) throw new ConfigError(`the API key in ${apiKeyFrom} contains invalid characters. Correct it.`);
  return { ...network, apiKey };
}

/** The limits of a destination for a purpose; undefined if this configuration does not have the destination. */
export function configuredLimits(
  { destinations }: Pick<ConfiguredDestinations, 'destinations'>,
  name: string,
  purpose: string,
): DestinationLimits | undefined {
  const found = destinations.get(name);
  return found && limitsOf(found, purpose);
}

/** The same with the proxy of the environment, if it has no `proxy`. */
export function withNetwork<T extends Pick<DestinationConfig, 'baseUrl' | 'proxy'>>(
  { proxies }: Pick<ConfiguredDestinations, 'proxies'>,
  settings: T,
): T {
  const proxy = settings.proxy ?? proxySettingFor(new URL(settings.baseUrl), proxies ?? {});
  return proxy === undefined ? settings : { ...settings, proxy };
}

const usualKeyOf = (kind: DestinationInFile['kind']) => (kind === 'azure' ? AZURE_API_KEY_ENV : USUAL_API_KEY_ENV);

/** The destination `azure` of the variables of the official SDKs. One of the config file with this name replaces it. */
function azureDestination(values: DestinationVariables): Readonly<Record<string, DestinationInFile>> {
  const { AZURE_OPENAI_ENDPOINT: endpoint, OPENAI_API_VERSION: apiVersion } = values;
  return endpoint === undefined ? {} : { azure: { kind: 'azure', baseUrl: endpoint, apiVersion } };
}

interface DestinationVariables {
  readonly AZURE_OPENAI_ENDPOINT?: string | undefined;
  readonly OPENAI_API_VERSION?: string | undefined;
  readonly OPENAI_BASE_URL?: string | undefined;
  readonly OPENAI_ORG_ID?: string | undefined;
  readonly OPENAI_PROJECT_ID?: string | undefined;
}

/** The environment comes before the file. */
function defaultDestination(values: DestinationVariables, inFile: DestinationInFile | undefined): DestinationInFile {
  return {
    ...inFile,
    apiKeyEnv: inFile?.apiKeyEnv ?? USUAL_API_KEY_ENV,
    baseUrl: values.OPENAI_BASE_URL ?? inFile?.baseUrl ?? DEFAULT_BASE_URL,
    headers: {
      ...inFile?.headers,
      ...(values.OPENAI_ORG_ID ? { 'openai-organization': values.OPENAI_ORG_ID } : {}),
      ...(values.OPENAI_PROJECT_ID ? { 'openai-project': values.OPENAI_PROJECT_ID } : {}),
    },
  };
}

/** The same configuration with another default destination, as `longhaul dev` and the demo need. */
export function withDefaultDestination<T extends ConfiguredDestinations>(
  config: T,
  changes: { baseUrl: string; apiKey: string },
): T {
  const name = Defaults.destination;
  // It is on this machine, which a proxy cannot reach.
  const destination = { name, apiKeyFrom: USUAL_API_KEY_ENV, proxy: NO_PROXY_SETTING, ...changes };
  const destinations = new Map([...config.destinations, [name, destination]]);
  return changed<ConfiguredDestinations>(config, { destinations }) as T;
}
