import { join, resolve } from 'node:path';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import * as z from 'zod';
import { issueText } from '../contracts/requests/issue-text.ts';
import { errnoOf } from '../core/text/errno-cause.ts';
import { EncryptionKeys } from '../encryption/keys.ts';
import { ConfigError } from '../errors.ts';
import type { ProxyRules } from '../network/proxy.ts';
import { fileProblem, readSettingsFile } from '../network/watched-files.ts';
import type { SourceSettings } from '../sources/source-settings.ts';
import { destinationSchema } from './destination-schema.ts';
import { readDestinations, type DestinationConfig } from './destinations.ts';
import { environmentSchema, type EnvironmentValues, type LogLevel } from './environment.ts';
import { HostNames } from './host-identity.ts';
import { readProxyRules } from './network.ts';
import { userDirectories, protectedPaths } from './paths.ts';
import { toSourceSettings, sourcesSchema } from './sources.ts';
import { temporalSettings } from './temporal.ts';
import { described, hostName, text } from './values.ts';

/** Where an existing Temporal is, in the form that both clients and workers connect with. */
export interface TemporalConfig {
  readonly address: string;
  readonly namespace: string;
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
}

export interface Config {
  /** The embedded server's database and socket. */
  readonly stateDir: string;
  /** Time in milliseconds that the embedded server keeps running after the last command. */
  readonly lingerMs: number;
  /** Downloaded executables; can be deleted at any time. */
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
  /** Whether `LONGHAUL_HOST` or the config file sets the name. */
  readonly hostIsGiven: boolean;
  /** Maximum parts in flight of a worker; undefined: automatic for each destination. */
  readonly transferSlots: number | undefined;
  /** Bytes per second of all parts that a worker sends; undefined: no limit. */
  readonly limitBytesPerSecond: number | undefined;
  /** Least time between two heartbeats of a part that reach the server. */
  readonly heartbeatIntervalMs: number;
  /** Which deployment and build a `longhaul worker` is, for Temporal's Worker Versioning. */
  readonly deploymentName: string | undefined;
  readonly buildId: string | undefined;
  /** Absolute path of the keys that encrypt all payloads in Temporal; undefined: payloads are not encrypted. */
  readonly encryptionKeyFile?: string | undefined;
  /** File with the token of `longhaul codec-server`. */
  readonly codecTokenFile?: string | undefined;
  /** What may be read, and how. */
  readonly sources: SourceSettings;
  /** The only key that the local API accepts. @defaultValue any key */
  readonly localApiKey?: string | undefined;
  /** Where a `longhaul worker` serves its metrics; undefined: nowhere. */
  readonly metricsPort: number | undefined;
  readonly metricsHost: string;
  /** Whether OpenTelemetry's variables ask for traces; its packages read the rest of them. */
  readonly tracing: boolean;
  /** Undefined: each command has its own default. */
  readonly logLevel: LogLevel | undefined;
  readonly destinations: ReadonlyMap<string, DestinationConfig>;
  /** Proxies of the environment; undefined: none. */
  readonly proxies: ProxyRules | undefined;
}

export const ConfigDefaults = {
  heartbeatIntervalMs: 5000,
  lingerSeconds: 5,
  metricsHost: '127.0.0.1',
} as const;

/**
 * Reads all settings. No other code of Longhaul reads the environment.
 *
 * @throws ConfigError that lists every problem
 */
export function loadConfig(env: Readonly<NodeJS.ProcessEnv> = process.env): Config {
  const problems: string[] = [];
  // An empty variable is not set: files and shells can set variables only to an empty text.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) problems.push(...describeIssues(parsed.error));
  const values = parsed.data ?? {};

  const paths = userDirectories(given);
  // Not from the parsed values: an invalid variable must not change the file that is read.
  const namedFile = given['LONGHAUL_CONFIG']?.trim();
  const usualFile = paths.config === undefined ? undefined : join(paths.config, 'config.json');
  const configPath = namedFile ?? usualFile;
  const file = readConfigFile(configPath, namedFile !== undefined, problems);
  const temporal = readTemporal(given, problems);
  const encryptionKeyFile = readKeyFilePath(values.LONGHAUL_ENCRYPTION_KEY_FILE, problems);
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
  if (problems.length > 0) throw new ConfigError(`invalid configuration: ${problems.join('; ')}`);

  const givenHost = values.LONGHAUL_HOST ?? file.host;
  const isStored = givenHost === undefined && temporal === undefined;
  const hostNames = new HostNames(givenHost, isStored ? (values.LONGHAUL_STATE_DIR ?? paths.data) : undefined);

  return {
    // Workers need neither, and a container may have no home directory.
    get stateDir() {
      return resolve(values.LONGHAUL_STATE_DIR ?? paths.data ?? homeIsMissing('LONGHAUL_STATE_DIR'));
    },
    get cacheDir() {
      return resolve(values.LONGHAUL_CACHE_DIR ?? paths.cache ?? homeIsMissing('LONGHAUL_CACHE_DIR'));
    },
    lingerMs: 1000 * (values.LONGHAUL_LINGER ?? ConfigDefaults.lingerSeconds),
    temporalCliPath: values.LONGHAUL_TEMPORAL_CLI,
    pathEnv: env['PATH'],
    temporal,
    taskQueue: values.LONGHAUL_TASK_QUEUE,
    get host() {
      return hostNames.host;
    },
    get otherHosts() {
      return hostNames.others;
    },
    hostIsGiven: givenHost !== undefined,
    transferSlots: values.LONGHAUL_TRANSFER_SLOTS,
    limitBytesPerSecond: values.LONGHAUL_LIMIT,
    heartbeatIntervalMs: values.LONGHAUL_HEARTBEAT_INTERVAL_MS ?? ConfigDefaults.heartbeatIntervalMs,
    // Temporal's worker controller for Kubernetes sets its variables.
    deploymentName: values.LONGHAUL_DEPLOYMENT_NAME ?? values.TEMPORAL_DEPLOYMENT_NAME,
    buildId: values.LONGHAUL_BUILD_ID ?? values.TEMPORAL_WORKER_BUILD_ID,
    encryptionKeyFile,
    codecTokenFile: values.LONGHAUL_CODEC_TOKEN_FILE,
    sources,
    localApiKey: values.LONGHAUL_LOCAL_API_KEY,
    metricsPort: values.LONGHAUL_METRICS_PORT,
    metricsHost: values.LONGHAUL_METRICS_HOST ?? ConfigDefaults.metricsHost,
    tracing: asksForTraces(values),
    logLevel: values.LONGHAUL_LOG_LEVEL,
    destinations: readDestinations(values, file.destinations, given),
    proxies,
  };
}

/** Off unless a variable sets an endpoint or exporter. OpenTelemetry itself would send to this machine by default. */
function asksForTraces(values: EnvironmentValues): boolean {
  if (values.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  if (values.OTEL_TRACES_EXPORTER !== undefined) return values.OTEL_TRACES_EXPORTER === 'otlp';
  return (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined;
}

function readConfigFile(
  path: string | undefined,
  mustExist: boolean,
  problems: string[],
): z.infer<typeof configFileSchema> {
  if (path === undefined) return {};
  let content: string;
  try {
    content = readSettingsFile(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') problems.push(`the config file ${path} ${fileProblem(error)}`);
    else if (mustExist) problems.push(`LONGHAUL_CONFIG names ${path}, which does not exist`);
    return {};
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    problems.push(`cannot read ${path} as JSON: ${content.trim() === '' ? 'it is empty' : invalidAt(error)}`);
    return {};
  }
  const parsed = configFileSchema.safeParse(value, { error: issueText });
  if (parsed.success) return parsed.data;
  problems.push(...describeIssues(parsed.error).map((issue) => `${path}: ${issue}`));
  return {};
}

/** Not the whole message: it quotes the file, which may contain a secret. */
function invalidAt(error: unknown): string {
  return `it is invalid${/ at position \d+/.exec((error as Error).message)?.[0] ?? ''}`;
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

function readKeyFilePath(path: string | undefined, problems: string[]): string | undefined {
  if (path === undefined) return undefined;
  const absolute = resolve(path);
  try {
    void new EncryptionKeys(absolute);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return absolute;
}

function describeIssues(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.join('.') || 'the file'} ${issue.message}`);
}

/** The config file. `npm run docs-tables` writes the descriptions to docs/configuration.md and docs/sources.md. */
export const configFileSchema = z.strictObject({
  $schema: described(z.string(), 'address of the JSON Schema of this file, for editors. Longhaul ignores it'),
  host: described(
    hostName,
    '[name of this machine](sources.md#the-host-of-a-file), as `LONGHAUL_HOST`; default: the host name, or the name in the state directory',
  ),
  destinations: described(z.record(text, destinationSchema), 'services by name. `default` is the default destination'),
  sources: described(sourcesSchema, '[sources](sources.md#configuration) that may be read, and how'),
});

/** JSON Schema of the config file, for editors. Programs should not check values with it: Longhaul checks more. */
export function configFileJsonSchema(): object {
  return z.toJSONSchema(configFileSchema, { io: 'input', unrepresentable: 'any' });
}
