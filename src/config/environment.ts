import * as z from 'zod';
import { baseUrl, described, hostName, limit, path, sealKey, text, wholeNumber } from './values.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * The variables that Longhaul itself checks. `npm run docs-tables` writes their descriptions to docs/configuration.md: the text
 * after `; default:` is in a separate column.
 */
export const environmentSchema = z.object({
  OPENAI_API_KEY: described(z.string(), 'key of the default destination'),
  OPENAI_API_KEY_FILE: described(
    z.string(),
    'path of a file that contains the key instead, such as a mounted secret. Line breaks at its ends are removed',
  ),
  OPENAI_BASE_URL: described(
    baseUrl,
    'base URL of the default destination, with the version; default: `https://api.openai.com/v1`',
  ),
  AZURE_OPENAI_ENDPOINT: described(
    baseUrl,
    'endpoint of the destination `azure`. See [Azure OpenAI](#azure-openai); default: no such destination',
  ),
  AZURE_OPENAI_API_KEY: described(
    z.string(),
    'key of the destination `azure`. `AZURE_OPENAI_API_KEY_FILE` is the path of a file that contains it',
  ),
  OPENAI_API_VERSION: described(text, '[API version](#azure-openai) of the destination `azure`'),
  OPENAI_ORG_ID: described(text, 'value of the header `openai-organization`'),
  OPENAI_PROJECT_ID: described(text, 'value of the header `openai-project`'),
  LONGHAUL_CONFIG: described(
    path,
    "path of the config file; default: `config.json` in the platform's config directory, such as `~/.config/longhaul`",
  ),
  LONGHAUL_STATE_DIR: described(
    path,
    "directory of the embedded server's database, the [name of this machine](sources.md#the-host-of-a-file), and copies of pipes (or, with `--spool`, of downloads) during their upload; default: the platform's data directory, such as `~/.local/share/longhaul`",
  ),
  LONGHAUL_CACHE_DIR: described(
    path,
    "directory of the downloaded Temporal CLI; default: the platform's cache directory, such as `~/.cache/longhaul`",
  ),
  LONGHAUL_LINGER: described(
    wholeNumber(0, 86_400),
    'seconds that the embedded server keeps running after its last command. With `0`, no process is left when a command has exited; default: 5',
  ),
  LONGHAUL_TEMPORAL_CLI: described(
    path,
    'path of the Temporal CLI; default: found or downloaded, see [The Temporal CLI](#the-temporal-cli)',
  ),
  LONGHAUL_TASK_QUEUE: described(
    text,
    'name of the control queue; default: `longhaul`; on the embedded server a separate queue for each base URL and key',
  ),
  LONGHAUL_HOST: described(
    hostName,
    '[name of this machine](sources.md#the-host-of-a-file) for files that only it can read, at most 200 bytes, without spaces, quotes and slashes. It is part of the name of a task queue; default: with the embedded server, the name in the state directory. Otherwise the host name',
  ),
  LONGHAUL_ANY_SOURCE: described(
    z.enum(['true', 'false'], 'must be true or false'),
    '`true` permits a `longhaul worker` every [source](sources.md#what-a-caller-cant-make-a-worker-read) (`--any-source`); default: `sources.any` of the config file',
  ),
  LONGHAUL_TRANSFER_SLOTS: described(
    wholeNumber(1, 256),
    'maximum parts that a worker sends at the same time. For each transfer queue, the worker computes as many MD5s in parallel (`--slots`); default: 8 at first, then the best number for the destination. See [Performance](performance.md#the-number-of-parts-in-flight)',
  ),
  LONGHAUL_LIMIT: described(
    limit,
    'maximum rate of all parts that a worker sends, such as `50MiB/s`, at least 128 KiB/s (`--limit`); default: no limit',
  ),
  LONGHAUL_HEARTBEAT_INTERVAL_MS: described(
    wholeNumber(100, 600_000),
    'minimum milliseconds between two heartbeats of a part, and milliseconds between two [heartbeats of a worker](deploying.md#heartbeats-of-workers), at most 60,000. Each heartbeat is a call to Temporal. Temporal Cloud bills those of parts; default: 5,000',
  ),
  LONGHAUL_DEPLOYMENT_NAME: described(
    text,
    'deployment of a `longhaul worker`, for [Worker Versioning](deploying.md#versions-of-the-workflow). Set it together with `LONGHAUL_BUILD_ID`; default: `TEMPORAL_DEPLOYMENT_NAME`',
  ),
  LONGHAUL_BUILD_ID: described(text, 'build of a `longhaul worker`; default: `TEMPORAL_WORKER_BUILD_ID`'),
  TEMPORAL_DEPLOYMENT_NAME: described(
    text,
    "deployment that Temporal's worker controller for Kubernetes sets; default: no version",
  ),
  TEMPORAL_WORKER_BUILD_ID: described(text, "build that Temporal's worker controller sets; default: no version"),
  LONGHAUL_METRICS_PORT: described(
    wholeNumber(0, 65_535),
    'port of the [metrics and health](metrics.md) of a `longhaul worker`. Port 0 is any free port; default: no metrics',
  ),
  LONGHAUL_METRICS_HOST: described(text, 'address of the metrics and health; default: `127.0.0.1`'),
  LONGHAUL_LOG_LEVEL: described(
    z.enum(logLevels, `must be one of ${logLevels.join(', ')}`),
    'level of the [log](metrics.md#logs); default: `info` for `worker`, `error` for `dev`, otherwise `silent`',
  ),
  LONGHAUL_ENCRYPTION_KEY_FILE: described(
    path,
    'path of the keys that [encrypt](encryption.md) all data of uploads in Temporal. Clients and workers need the same file; default: no encryption',
  ),
  LONGHAUL_CODEC_TOKEN_FILE: described(
    path,
    'path of a file with the token of [`longhaul codec-server`](encryption.md#temporal-ui-and-the-temporal-command) (`--token-file`); default: a new token at each start',
  ),
  LONGHAUL_SEAL_KEY: described(
    sealKey,
    'secret of at least 16 characters that seals the query of [signed URLs](sources.md#signed-urls); default: with the embedded server, a key in the state directory',
  ),
  LONGHAUL_SEAL_KEY_PREVIOUS: described(sealKey, 'the previous `LONGHAUL_SEAL_KEY`, which workers still accept'),
  LONGHAUL_LOCAL_API_KEY: described(
    text,
    'the only key that `longhaul local-api` and `longhaul dev` accept (`--key` of `local-api`); default: any key',
  ),
  OTEL_TRACES_EXPORTER: described(
    z.enum(['otlp', 'none'], 'must be otlp or none'),
    '`otlp` sends [traces](metrics.md#traces), `none` does not; default: `otlp` if an endpoint is set',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: described(text, 'address that receives traces; default: no traces'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: described(
    text,
    'the same for traces only, with its path; default: `OTEL_EXPORTER_OTLP_ENDPOINT`',
  ),
  OTEL_SDK_DISABLED: described(text, '`true` turns traces off'),
});

export type EnvironmentValues = z.infer<typeof environmentSchema>;
