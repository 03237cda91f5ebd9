import * as z from 'zod';
import { AZURE_API_KEY_ENV, findApiKey, USUAL_API_KEY_ENV, keyCommandSchema } from './api-key.ts';
import { hasWholeClientCertificate, networkFields, WHOLE_CLIENT_CERTIFICATE } from './network.ts';
import { baseUrl, described, isQuoted, QUOTED, text, wholeNumber } from './values.ts';
import { Defaults, Limits, type DestinationLimits } from '../contracts/limits.ts';
import { changed } from '../core/objects.ts';
import { ConfigError } from '../errors.ts';
import { NO_PROXY_SETTING, proxySettingFor, type ProxyRules } from '../network/proxy.ts';
import { azureAddress, type AddressProblem } from '../destinations/azure-address.ts';
import { limitsOf } from '../destinations/limits.ts';
import { DESTINATION_KINDS, type DestinationProfile } from '../destinations/profile.ts';
import { isKey, keyProblem, type KeyProvider } from '../destinations/keys/key-provider.ts';

const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

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

const fileLimits = {
  maxFileBytes: described(wholeNumber(1, Limits.settableFileBytes), 'maximum bytes of a File'),
  maxLines: described(wholeNumber(0, Number.MAX_SAFE_INTEGER), 'maximum lines of a File, 0 for no limit'),
  extensions: described(
    z.array(text.startsWith('.', 'must start with a dot, such as ".jsonl"')),
    'endings, one of which the name of a File must have, such as `.jsonl`',
  ),
};

const partBytes = wholeNumber(Limits.minPartSizeBytes, Limits.settablePartSizeBytes);

const limitsField = z
  .strictObject({
    ...fileLimits,
    minPartSizeBytes: described(partBytes, 'minimum bytes of a part'),
    maxPartSizeBytes: described(partBytes, 'maximum bytes of a part'),
    sessionSeconds: described(
      wholeNumber(60, 365 * 86_400),
      'lifetime of a session if the response does not contain it',
    ),
    purposes: described(z.record(text, z.strictObject(fileLimits)), 'limits of single purposes, by name'),
  })
  .refine(
    ({ minPartSizeBytes: least = 0, maxPartSizeBytes: most = Infinity }) => least <= most,
    'must not have a minPartSizeBytes above its maxPartSizeBytes',
  );

const destinationFields = z.strictObject({
  kind: described(
    z.enum(DESTINATION_KINDS),
    'kind of service: `azure` for [Azure OpenAI](#azure-openai), or `openai` for OpenAI and services with the same routes; default: `openai`',
  ),
  baseUrl: described(
    baseUrl,
    'base URL with the version, required for `openai`; default: for `azure`, the address of `resource`',
  ),
  resource: described(text, 'name of the resource, only for `azure`, instead of `baseUrl`'),
  apiVersion: described(text, '[API version](#azure-openai), only for `azure`; default: `v1`'),
  apiKeyEnv: described(
    text,
    'name of the variable that contains the key. The same name with `_FILE` after it contains the path of a key file; default: `OPENAI_API_KEY`, for `azure` `AZURE_OPENAI_API_KEY`',
  ),
  apiKeyFile: described(
    text.startsWith('/', 'must be an absolute path'),
    'absolute path of a key file. See [Keys that change](#keys-that-change)',
  ),
  apiKeyCommand: described(
    keyCommandSchema,
    'program and arguments that print the key, or an object with `command`, `ttlSeconds`, `timeoutSeconds` and `environment`. See [Keys that change](#keys-that-change)',
  ),
  authHeader: described(
    z.enum(['authorization', 'api-key']),
    'header of the key. `authorization` sends `Bearer KEY`; default: `authorization`, for a key of `azure` `api-key`',
  ),
  headers: described(z.record(z.string(), z.string()), 'more headers of every request, by name'),
  query: described(z.record(z.string(), z.string()), 'more query parameters of every request, such as `api-version`'),
  completeEncoding: described(
    z.enum(['json', 'form']),
    'encoding of the call that completes an Upload; default: `json`',
  ),
  stallTimeoutMs: described(
    wholeNumber(1000, 3_600_000),
    "milliseconds without traffic after which Longhaul closes a part's connection; default: 60,000",
  ),
  filesRequestsPerMinute: described(
    z.union([z.literal(0), wholeNumber(10, 1_000_000)], 'must be 0, or a whole number from 10 to 1000000'),
    'maximum requests per minute to `/files`, [across all workers](fairness.md#requests-per-minute), 0 for no limit; default: 1,000',
  ),
  traceHeaders: described(z.boolean(), 'whether calls have [trace headers](metrics.md#traces); default: `false`'),
  limits: described(
    limitsField,
    '[limits of Files](#limits-of-files) that differ from those of the kind and of the purpose',
  ),
  purposes: described(z.array(text), 'purposes of this service in addition to the usual purposes'),
  ...networkFields,
});

/** A part of `destinations` of the config file. */
export const destinationSchema = destinationFields
  .refine(hasWholeClientCertificate, WHOLE_CLIENT_CERTIFICATE)
  .refine(
    ({ apiKeyFile, apiKeyCommand }) => apiKeyFile === undefined || apiKeyCommand === undefined,
    'must not have both apiKeyFile and apiKeyCommand',
  )
  .transform(({ resource, ...settings }, context) => {
    const problem = addressProblem({ resource, ...settings });
    if (problem) context.addIssue({ code: 'custom', path: [problem.setting], message: problem.problem });
    const { baseUrl: given = resource === undefined ? DEFAULT_BASE_URL : `https://${resource}.openai.azure.com` } =
      settings;
    return { ...settings, baseUrl: given };
  });

/** The settings of a kind that other kinds do not have are rejected. */
function addressProblem(settings: Omit<z.infer<typeof destinationFields>, 'headers'>): AddressProblem | undefined {
  if (settings.kind === 'azure') {
    const address = azureAddress(settings);
    return 'problem' in address ? address : undefined;
  }
  const [setting] = (['resource', 'apiVersion'] as const).filter((name) => settings[name] !== undefined);
  if (setting) return { setting, problem: 'is only for the kind azure. Add "kind": "azure"' };
  if (settings.baseUrl === undefined) return { setting: 'baseUrl', problem: 'is missing, for example https://HOST/v1' };
  return undefined;
}

type DestinationInFile = z.infer<typeof destinationSchema>;

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
 * The destination of that name with its key.
 *
 * @throws ConfigError if it does not exist, or its key is missing or cannot be sent in a header
 */
export function requireDestination(config: ConfiguredDestinations, name: string): DestinationProfile {
  const found = config.destinations.get(name);
  if (!found) {
    const known = [...config.destinations.keys()].join(', ');
    throw new ConfigError(`destination "${name}" not found. Use a destination of this configuration: ${known}.`);
  }
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
