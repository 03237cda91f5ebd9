import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { Defaults } from './contracts/limits.ts';
import { errnoCause, errnoOf } from './core/errno-cause.ts';
import { formatBytes } from './core/format.ts';
import { hostNameProblem } from './core/host-name.ts';
import { parseBytesPerSecond } from './core/parse-bytes.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from './core/rate-limit.ts';
import { ConfigError } from './errors.ts';
import { readHostIdentity, thisHost, type HostIdentity } from './host-identity.ts';
import { findApiKey, USUAL_API_KEY_ENV } from './config-api-key.ts';
import { userDirectories } from './config-paths.ts';
import { keyCommandSchema } from './config-key-command.ts';
import {
  hasWholeClientCertificate,
  networkFields,
  readProxyRules,
  WHOLE_CLIENT_CERTIFICATE,
} from './config-network.ts';
import { NO_PROXY_SETTING, proxySettingFor, type ProxyRules } from './network/proxy.ts';
import { isKey, keyProblem, type KeyProvider } from './openai/keys/key-provider.ts';
import { protectedPaths } from './config-protected.ts';
import { sourcesSchema, toSourceSettings } from './config-sources.ts';
import { temporalSettings } from './config-temporal.ts';
import type { DestinationProfile } from './openai/destination-profile.ts';
import { MIN_SEAL_KEY_CHARACTERS } from './sources/sealed-query.ts';
import type { SourceSettings } from './sources/source-settings.ts';

/** Where an existing Temporal is, in the form that both clients and workers connect with. */
export interface TemporalConfig {
  readonly address: string;
  readonly namespace: string;
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
}

/** A destination before its key is needed. */
export interface DestinationConfig extends Omit<DestinationProfile, 'apiKey'> {
  /** Where the key is looked for, in words for messages. */
  readonly apiKeyFrom: string;
  readonly apiKey: string | undefined;
  /** Why there is no key in the file that should hold it. */
  readonly apiKeyProblem?: string | undefined;
  /** The file that contains the key, if a file does. */
  readonly apiKeyPath?: string | undefined;
  /** For a key that can change. */
  readonly keys?: KeyProvider | undefined;
  /** Stays the same when the key of a file or a command changes. @defaultValue the key */
  readonly keyIdentity?: string | undefined;
  /** Purposes that this service knows beside the usual ones. */
  readonly purposes?: readonly string[] | undefined;
}

export interface Config {
  /** The embedded server's database and leases. */
  readonly stateDir: string;
  /** Downloaded executables; may be deleted at any time. */
  readonly cacheDir: string;
  readonly temporalCliPath: string | undefined;
  readonly pathEnv: string | undefined;
  /** Undefined: a server is embedded. */
  readonly temporal: TemporalConfig | undefined;
  /** Undefined: `longhaul` on an existing Temporal, one per destination on the embedded one. */
  readonly taskQueue: string | undefined;
  /** Names this machine in `source.host`. With the embedded server, the state directory stores it. */
  readonly host: string;
  /** Further names of this machine, whose queues its workers poll as well. */
  readonly otherHosts: readonly string[];
  /** Whether `LONGHAUL_HOST` sets the name. */
  readonly hostIsGiven: boolean;
  /** Parts that a worker sends at a time; undefined: what each destination takes best. */
  readonly transferSlots: number | undefined;
  /** Bytes a second of all parts that a worker sends; undefined: no limit. */
  readonly limitBytesPerSecond: number | undefined;
  /** Least time between two heartbeats of a part that reach the server. */
  readonly heartbeatIntervalMs: number;
  /** Which deployment and build a `longhaul worker` is, for Temporal's Worker Versioning. */
  readonly deploymentName: string | undefined;
  readonly buildId: string | undefined;
  /** What may be read, and how. */
  readonly sources: SourceSettings;
  /** The only key that the local API accepts. @defaultValue any key */
  readonly localApiKey?: string | undefined;
  /** Where a `longhaul worker` serves its metrics; undefined: nowhere. */
  readonly metricsPort: number | undefined;
  readonly metricsHost: string;
  /** Whether OpenTelemetry's variables ask for traces; its packages read the rest of them. */
  readonly tracing: boolean;
  /** Undefined: each command has a default of its own. */
  readonly logLevel: LogLevel | undefined;
  readonly destinations: ReadonlyMap<string, DestinationConfig>;
  /** Proxies of the environment; undefined: none. */
  readonly proxies: ProxyRules | undefined;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const ConfigDefaults = {
  baseUrl: 'https://api.openai.com/v1',
  heartbeatIntervalMs: 5000,
  metricsHost: '127.0.0.1',
} as const;

const text = z.string().trim().min(1, 'is empty');
/** One message for whatever is wrong: zod's checks without one of their own take the schema's. */
const wholeNumber = (least: number, most: number) =>
  z.coerce.number(`must be a whole number from ${least} to ${most}`).int().min(least).max(most);

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

const baseUrl = text
  .refine((value) => isHttpUrl(value), 'must be an http:// or https:// address such as https://api.openai.com/v1')
  .refine(
    (value) => !/^[a-z]+:\/\/[^/]*@/i.test(value),
    'must not hold a user name or password; keys go into an environment variable',
  )
  .transform((value) => value.replace(/\/+$/, ''));

const limit = text.transform((value, context) => {
  const bytesPerSecond = parseBytesPerSecond(value);
  if (bytesPerSecond !== undefined && bytesPerSecond >= MIN_LIMIT_BYTES_PER_SECOND) return bytesPerSecond;
  const least = formatBytes(MIN_LIMIT_BYTES_PER_SECOND);
  context.addIssue({ code: 'custom', message: `must be bytes a second such as 50MiB/s, ${least}/s at least` });
  return z.NEVER;
});

const sealKey = text.min(
  MIN_SEAL_KEY_CHARACTERS,
  `must have at least ${MIN_SEAL_KEY_CHARACTERS} characters, for example the output of "openssl rand -hex 32"`,
);

const environment = z.object({
  LONGHAUL_STATE_DIR: text.optional(),
  LONGHAUL_CACHE_DIR: text.optional(),
  LONGHAUL_CONFIG: text.optional(),
  LONGHAUL_TEMPORAL_CLI: text.optional(),
  LONGHAUL_TASK_QUEUE: text.optional(),
  LONGHAUL_HOST: text
    .superRefine((value, context) => {
      const message = hostNameProblem(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .optional(),
  LONGHAUL_TRANSFER_SLOTS: wholeNumber(1, 256).optional(),
  LONGHAUL_LIMIT: limit.optional(),
  LONGHAUL_HEARTBEAT_INTERVAL_MS: wholeNumber(100, 600_000).optional(),
  LONGHAUL_DEPLOYMENT_NAME: text.optional(),
  LONGHAUL_BUILD_ID: text.optional(),
  LONGHAUL_METRICS_PORT: wholeNumber(0, 65_535).optional(),
  LONGHAUL_METRICS_HOST: text.optional(),
  LONGHAUL_SEAL_KEY: sealKey.optional(),
  LONGHAUL_SEAL_KEY_PREVIOUS: sealKey.optional(),
  LONGHAUL_LOCAL_API_KEY: text.optional(),
  LONGHAUL_ANY_SOURCE: z.enum(['true', 'false'], 'must be true or false').optional(),
  LONGHAUL_LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).optional(),
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none'], 'must be otlp or none').optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: text.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: text.optional(),
  OTEL_SDK_DISABLED: text.optional(),
  OPENAI_BASE_URL: baseUrl.optional(),
  OPENAI_ORG_ID: text.optional(),
  OPENAI_PROJECT_ID: text.optional(),
});

const destinationFields = z.strictObject({
  ...networkFields,
  baseUrl,
  apiKeyEnv: text.optional(),
  apiKeyFile: text.startsWith('/', 'must be an absolute path').optional(),
  apiKeyCommand: keyCommandSchema.optional(),
  authHeader: z.enum(['authorization', 'api-key']).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  query: z.record(z.string(), z.string()).optional(),
  completeEncoding: z.enum(['json', 'form']).optional(),
  stallTimeoutMs: wholeNumber(1000, 3_600_000).optional(),
  filesRequestsPerMinute: z
    .union([z.literal(0), wholeNumber(10, 1_000_000)], 'must be 0, or a whole number from 10 to 1000000')
    .optional(),
  traceHeaders: z.boolean().optional(),
  /** Purposes that this service knows beside the usual ones. */
  purposes: z.array(text).optional(),
});

const destination = destinationFields
  .refine(hasWholeClientCertificate, WHOLE_CLIENT_CERTIFICATE)
  .refine(
    ({ apiKeyFile, apiKeyCommand }) => apiKeyFile === undefined || apiKeyCommand === undefined,
    'must not have both apiKeyFile and apiKeyCommand',
  );

const configFile = z.strictObject({
  destinations: z.record(text, destination).optional(),
  sources: sourcesSchema.optional(),
});

/**
 * Reads everything that can be set from outside; nothing else in Longhaul looks at the environment.
 *
 * @throws ConfigError that names every problem at once
 */
export function loadConfig(env: Readonly<NodeJS.ProcessEnv> = process.env): Config {
  const problems: string[] = [];
  // An empty variable is one that somebody unset in a file or a shell.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = environment.safeParse(given);
  if (!parsed.success) problems.push(...describeIssues(parsed.error));
  const values = parsed.data ?? {};

  const paths = userDirectories(given);
  // Not from the parsed values: a wrong variable must not make another file the one that is read.
  const namedFile = given['LONGHAUL_CONFIG']?.trim();
  const usualFile = paths.config === undefined ? undefined : join(paths.config, 'config.json');
  const configPath = namedFile ?? usualFile;
  const file = readConfigFile(configPath, namedFile !== undefined, problems);
  const temporal = readTemporal(given, problems);
  const proxies = readProxyRules(given);
  const protect = protectedPaths({
    env: given,
    stateDir: values.LONGHAUL_STATE_DIR ?? paths.data,
    configPath,
    config: file,
  });
  const sources = {
    ...toSourceSettings(file.sources ?? {}, given, problems, protect),
    ...(proxies ? { proxies } : {}),
  };
  if (problems.length > 0) throw new ConfigError(`wrong configuration: ${problems.join('; ')}`);

  const hostIsGiven = values.LONGHAUL_HOST !== undefined;
  const storedIn = hostIsGiven || temporal ? undefined : (values.LONGHAUL_STATE_DIR ?? paths.data);
  /** Read each time: another command can have stored it in the meantime. */
  const stored = (): HostIdentity | undefined =>
    storedIn === undefined ? undefined : readHostIdentity(resolve(storedIn));

  const { [Defaults.destination]: inFile, ...others } = file.destinations ?? {};
  return {
    // Workers need neither, and a container may have no home directory.
    get stateDir() {
      return resolve(values.LONGHAUL_STATE_DIR ?? paths.data ?? homeIsMissing('LONGHAUL_STATE_DIR'));
    },
    get cacheDir() {
      return resolve(values.LONGHAUL_CACHE_DIR ?? paths.cache ?? homeIsMissing('LONGHAUL_CACHE_DIR'));
    },
    temporalCliPath: values.LONGHAUL_TEMPORAL_CLI,
    pathEnv: env['PATH'],
    temporal,
    taskQueue: values.LONGHAUL_TASK_QUEUE,
    get host() {
      return stored()?.host ?? thisHost(undefined, given);
    },
    get otherHosts() {
      const identity = stored();
      if (!identity) return [];
      // A program with the library names this machine by its present host name.
      const names = new Set([...identity.earlier, thisHost(undefined, given)]);
      return [...names].filter((name) => name !== identity.host);
    },
    hostIsGiven,
    transferSlots: values.LONGHAUL_TRANSFER_SLOTS,
    limitBytesPerSecond: values.LONGHAUL_LIMIT,
    heartbeatIntervalMs: values.LONGHAUL_HEARTBEAT_INTERVAL_MS ?? ConfigDefaults.heartbeatIntervalMs,
    deploymentName: values.LONGHAUL_DEPLOYMENT_NAME,
    buildId: values.LONGHAUL_BUILD_ID,
    sources,
    localApiKey: values.LONGHAUL_LOCAL_API_KEY,
    metricsPort: values.LONGHAUL_METRICS_PORT,
    metricsHost: values.LONGHAUL_METRICS_HOST ?? ConfigDefaults.metricsHost,
    tracing: asksForTraces(values),
    logLevel: values.LONGHAUL_LOG_LEVEL,
    destinations: new Map(
      Object.entries({
        [Defaults.destination]: defaultDestination(values, inFile),
        ...others,
      }).map(([name, { apiKeyEnv, apiKeyFile, apiKeyCommand, ...settings }]) => [
        name,
        { name, ...settings, ...findApiKey({ apiKeyEnv, apiKeyFile, apiKeyCommand }, given) },
      ]),
    ),
    proxies,
  };
}

/**
 * The destination of that name with its key.
 *
 * @throws ConfigError when there is none, or its key is missing or can't stand in a header
 */
export function requireDestination(config: Config, name: string): DestinationProfile {
  const found = config.destinations.get(name);
  if (!found) {
    const known = [...config.destinations.keys()].join(', ');
    throw new ConfigError(`there is no destination "${name}"; this configuration has: ${known}`);
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
  // A file may have been corrected since the configuration was read.
  if (keys) {
    try {
      keys.load?.();
    } catch (error) {
      throw keyProblem(name, error);
    }
    return { ...network, apiKey: keys };
  }
  if (!apiKey) throw new ConfigError(`destination "${name}" has no API key: ${apiKeyProblem ?? `set ${apiKeyFrom}`}`);
  if (!isKey(apiKey)) throw new ConfigError(`the API key in ${apiKeyFrom} has characters that no key has`);
  return { ...network, apiKey };
}

/** The same with the proxy that the environment results in, if it has none of its own. */
export function withNetwork<T extends Pick<DestinationConfig, 'baseUrl' | 'proxy'>>(
  { proxies }: Config,
  settings: T,
): T {
  const proxy = settings.proxy ?? proxySettingFor(new URL(settings.baseUrl), proxies ?? {});
  return proxy === undefined ? settings : { ...settings, proxy };
}

/** Off unless one of them says where to or by what, though OpenTelemetry itself would then send to this machine. */
function asksForTraces(values: z.infer<typeof environment>): boolean {
  if (values.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  if (values.OTEL_TRACES_EXPORTER !== undefined) return values.OTEL_TRACES_EXPORTER === 'otlp';
  return (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined;
}

/** The environment comes before the file. */
function defaultDestination(
  values: z.infer<typeof environment>,
  inFile: z.infer<typeof destination> | undefined,
): z.infer<typeof destination> {
  return {
    ...inFile,
    apiKeyEnv: inFile?.apiKeyEnv ?? USUAL_API_KEY_ENV,
    baseUrl: values.OPENAI_BASE_URL ?? inFile?.baseUrl ?? ConfigDefaults.baseUrl,
    headers: {
      ...inFile?.headers,
      ...(values.OPENAI_ORG_ID ? { 'openai-organization': values.OPENAI_ORG_ID } : {}),
      ...(values.OPENAI_PROJECT_ID ? { 'openai-project': values.OPENAI_PROJECT_ID } : {}),
    },
  };
}

function readConfigFile(path: string | undefined, mustExist: boolean, problems: string[]): z.infer<typeof configFile> {
  if (path === undefined) return {};
  try {
    const parsed = configFile.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success) return parsed.data;
    problems.push(...describeIssues(parsed.error).map((issue) => `${path}: ${issue}`));
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) problems.push(`${path} can't be read as JSON${positionIn(error)}`);
    else if (code !== 'ENOENT') problems.push(`cannot read the config file ${path}: ${errnoCause(code)}`);
    else if (mustExist) problems.push(`LONGHAUL_CONFIG names ${path}, which does not exist`);
  }
  return {};
}

/** Not the whole message: it quotes the file, which may contain a secret. */
function positionIn(error: unknown): string {
  const position = / at position \d+/.exec((error as Error).message)?.[0];
  return position === undefined ? '' : `: it is invalid${position}`;
}

function homeIsMissing(variable: string): never {
  throw new ConfigError(
    `the home directory of this user is unknown: HOME is not set, and the system does not name one. Set HOME or ${variable}.`,
  );
}

/** Temporal's own environment variables and config file (`TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE` …). */
function readTemporal(env: Record<string, string | undefined>, problems: string[]): TemporalConfig | undefined {
  try {
    const { address, namespace = 'default', connectionOptions } = temporalSettings(env);
    return address === undefined ? undefined : { address, namespace, connectionOptions };
  } catch (error) {
    problems.push((error as Error).message);
    return undefined;
  }
}

function describeIssues(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.join('.') || 'the file'} ${issue.message}`);
}

/** The same configuration with another default destination, as `longhaul dev` and the demo need. */
export function withDefaultDestination(config: Config, changes: { baseUrl: string; apiKey: string }): Config {
  const name = Defaults.destination;
  // It is this machine's own, which no proxy reaches.
  const changed = { name, apiKeyFrom: USUAL_API_KEY_ENV, proxy: NO_PROXY_SETTING, ...changes };
  return { ...config, destinations: new Map([...config.destinations, [name, changed]]) };
}

/** Whether a person asked to see the inside of unexpected errors; works while the rest of the configuration is broken. */
export function isDebugging(env: Readonly<NodeJS.ProcessEnv> = process.env): boolean {
  return env['LONGHAUL_LOG_LEVEL'] === 'debug' || env['LONGHAUL_LOG_LEVEL'] === 'trace';
}

/** AWS's SDK warns of the version of Node when it is first used, which would stand between a command's own words. */
export function silenceAwsSdk(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
}
