import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LonghaulClient } from '../client/longhaul-client.ts';
import { TemporalUnreachableError } from '../temporal/temporal-errors.ts';
import { getOrAdd, withoutUndefined } from '../core/objects.ts';
import type { Config } from '../config/config.ts';
import type { LogLevel } from '../config/environment.ts';
import { requireDestination } from '../config/destinations.ts';
import { Defaults } from '../contracts/limits.ts';
import { DEFAULT_TASK_QUEUE } from '../contracts/names.ts';
import { withoutProxy } from '../dev/server/state-files.ts';
import { createLogger } from '../logger.ts';
import { startTracing } from '../observe/tracing/tracing.ts';
import type { WorkerOptions } from '../worker/options.ts';
import type { LonghaulWorker } from '../worker/longhaul-worker.ts';
import { checkNamespace, diagnoseTemporal } from './checks/check-temporal.ts';
import type { SourceSettings } from '../sources/source-settings.ts';
import type { CliContext } from './context.ts';
import { embed } from './embed-server.ts';
import { lightenSdk } from './lighter-sdk.ts';
import { establishHost, keepHost } from './checks/establish-host.ts';
import { errorText } from './errors.ts';
import { warnOfKey } from './checks/key-warnings.ts';
import { commandSources, sourceSettingsOf } from './sources/source-settings.ts';

const RESTART_ATTEMPTS = 20;

/** Temporal as a command sees it: an existing cluster, or the embedded server that commands share. */
export interface Backend {
  readonly client: LonghaulClient;
  readonly address: string;
  readonly namespace: string;
  /** Undefined unless Temporal is the embedded server. */
  readonly uiUrl: string | undefined;
  readonly isEmbedded: boolean;
  /** Address of the metrics of Temporal's SDK; undefined unless `keepsMetrics` is set. */
  readonly sdkMetricsUrl: string | undefined;
  /**
   * Starts a worker in this process, which stops with the command.
   *
   * @param sources sources that it can read, for any caller
   */
  readonly startWorker: (
    sources: SourceSettings,
    options?: Omit<WorkerOptions, 'connection' | 'destinations' | 'sources'>,
  ) => Promise<LonghaulWorker>;
}

interface BackendOptions {
  /** Destination of the uploads of this command. @defaultValue `default` */
  readonly destination?: string;
  /** Level of the logs if the configuration has none. @defaultValue `silent`, for commands whose output a user reads */
  readonly logLevel?: LogLevel;
  /** Whether Temporal's SDK keeps metrics. @defaultValue false */
  readonly keepsMetrics?: boolean;
  /** Whether the command always starts a worker, so that its code is loaded while Temporal starts. @defaultValue false */
  readonly needsWorker?: boolean;
}

/** Connects to Temporal and runs `command`. Stops its worker, connections and embedded server before it returns. */
export async function withBackend<T>(
  context: CliContext,
  options: BackendOptions,
  command: (backend: Backend) => Promise<T>,
): Promise<T> {
  await establishHost(context);
  const { config } = context;
  const logger = createLogger(config.logLevel ?? options.logLevel ?? 'silent', context.stderr);
  const loadClient = once(() => {
    lightenSdk();
    return import('../client/longhaul-client.ts');
  });
  // It takes half a second to load, so only commands that run a worker load it.
  const loadWorker = once(async () => {
    const [{ NativeConnection }, { createWorker }, { installRuntime }] = await Promise.all([
      import('@temporalio/worker'),
      import('../worker/create-worker.ts'),
      import('../worker/runtime.ts'),
    ]);
    const sdkMetricsUrl = installRuntime(logger, { ...options, heartbeatIntervalMs: config.heartbeatIntervalMs });
    return { sdkMetricsUrl, NativeConnection, createWorker };
  });
  const loadAhead = async () => {
    await loadClient();
    if (options.needsWorker) await loadWorker();
  };
  const closers: (() => Promise<void>)[] = [];
  try {
    const tracing = config.tracing ? await startTracing() : undefined;
    if (tracing) closers.push(() => tracing.close());
    // An error appears again when the module is needed.
    const onWait = () => void loadAhead().catch(() => {});
    if (config.temporal) onWait();
    const temporal = config.temporal ?? (await embed(context, onWait, closers));
    const clientCode = await loadClient();
    const { encryptionKeyFile: keyFile } = config;
    // The code that encrypts is loaded only if it is needed.
    const dataConverter =
      keyFile === undefined
        ? undefined
        : (await import('../encryption/data-converter.ts')).encryptedDataConverter({ keyFile });
    const client = await clientCode.LonghaulClient.connect({
      connection: {
        ...temporal.connectionOptions,
        ...(config.temporal ? {} : { channelArgs: withoutProxy }),
        connectTimeout: '5s',
      },
      namespace: temporal.namespace,
      dataConverter,
      interceptors: tracing ? [tracing.clientInterceptor] : [],
      taskQueue: taskQueueOf(config, options.destination ?? Defaults.destination),
      host: config.host,
      sources: sourceSettingsOf(config),
    }).catch(async (error: unknown) => {
      if (!(error instanceof TemporalUnreachableError)) throw error;
      const { problem, fix } = await diagnoseTemporal(temporal, error.cause);
      // The user did not set its address.
      const message =
        'pid' in temporal
          ? `cannot connect to the embedded Temporal server at ${temporal.address}: ${problem}. ` +
            `Try again. If the error remains, kill its process ${temporal.pid}.`
          : `cannot connect to Temporal at ${temporal.address}: ${problem}. ${fix}.`;
      throw new TemporalUnreachableError(message, { cause: error });
    });
    closers.push(() => client.close());
    if (config.temporal) await checkNamespace(client, temporal.address);
    else if (!config.hostIsGiven) keepHost(config);

    return await command({
      client,
      address: temporal.address,
      namespace: temporal.namespace,
      uiUrl: 'uiUrl' in temporal ? temporal.uiUrl : undefined,
      isEmbedded: config.temporal === undefined,
      sdkMetricsUrl: options.keepsMetrics ? (await loadWorker()).sdkMetricsUrl : undefined,
      startWorker: async (sources, workerOptions = {}) => {
        const { NativeConnection, createWorker } = await loadWorker();
        const connect = () => NativeConnection.connect(temporal.connectionOptions);
        const connection = await (config.temporal ? connect() : retried(connect)).catch((error: unknown) => {
          const message = `the worker cannot connect to Temporal at ${temporal.address}: ${errorText(error)}`;
          throw new TemporalUnreachableError(message, { cause: error });
        });
        closers.push(() => connection.close());
        const worker = await createWorker({
          connection,
          namespace: temporal.namespace,
          taskQueue: client.taskQueue,
          host: config.host,
          otherHosts: config.otherHosts,
          sources,
          destinations: (name) => {
            void warnOfKey(config, name, context.note).catch(() => {});
            return requireDestination(config, name);
          },
          transferSlots: config.transferSlots,
          limitBytesPerSecond: config.limitBytesPerSecond,
          heartbeatIntervalMs: config.heartbeatIntervalMs,
          tracing,
          dataConverter,
          ...withoutUndefined(workerOptions),
        });
        closers.push(() => worker.shutdown());
        return worker;
      },
    });
  } finally {
    // In reverse, so that the worker releases its parts while the server is still running.
    for (const close of closers.toReversed()) await close().catch(() => {});
  }
}

/**
 * Returns a function that starts a worker for the workflows of a task queue, once for each queue. On the embedded server,
 * there can be no other worker, so the command itself must respond to queries and updates.
 */
export function queueServer(context: CliContext, backend: Backend): (taskQueue: string) => Promise<void> {
  const served = new Map<string, Promise<void>>();
  const start = async (taskQueue: string) => {
    const worker = await backend.startWorker(commandSources(context.config), {
      taskQueue,
      roles: ['control'],
      workflowThread: false,
    });
    void worker.run().catch((error: unknown) => context.note(`longhaul: the worker stopped: ${errorText(error)}`));
  };
  return async (taskQueue) => {
    if (backend.isEmbedded) await getOrAdd(served, taskQueue, start);
  };
}

/** The embedded server is restarted within a few seconds, at the same address. */
async function retried<T>(connect: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connect();
    } catch (error) {
      if (attempt === RESTART_ATTEMPTS) throw error;
      await delay(500);
    }
  }
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}

/**
 * Returns the task queue. Commands that share the embedded server start workers with the keys of their environments. A
 * separate queue for each base URL and key ensures that a part is sent with the right key to the right address. If a key
 * file or key command returns another key, the queue stays the same.
 */
function taskQueueOf(config: Config, destinationName: string): string {
  if (config.taskQueue) return config.taskQueue;
  const destination = config.destinations.get(destinationName);
  if (config.temporal || !destination) return DEFAULT_TASK_QUEUE;
  const { name, baseUrl, headers, apiKey, keyIdentity = apiKey ?? '' } = destination;
  const digest = createHmac('sha256', keyIdentity)
    .update(JSON.stringify([name, baseUrl, headers ?? {}]))
    .digest('hex');
  return `${DEFAULT_TASK_QUEUE}-${digest.slice(0, 8)}`;
}
