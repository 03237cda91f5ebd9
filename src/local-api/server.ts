import { setMaxListeners } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withoutUndefined } from '../core/objects.ts';
import { ConfigError } from '../errors.ts';
import { causeOf } from '../core/text/errno-cause.ts';
import { closeServer } from '../network/http-server.ts';
import { hostOfUrl, withoutBrackets } from '../network/url.ts';
import { settingsSchema, type AdminControl, type SettingsChange } from './admin.ts';
import type { ApiContext } from './api-context.ts';
import { App } from './app.ts';
import { Bandwidth } from './bandwidth.ts';
import { BatchStore } from './batches/batch-store.ts';
import { Faults } from './faults.ts';
import { AzureDefaults, LocalApiDefaults, type LocalApiOptions, type LocalApiSettings } from './options.ts';
import { StatsRecorder, type LocalApiStats } from './stats.ts';
import { azureStyle, openAiStyle, type ServiceStyle } from './style.ts';
import { ListLag } from './list-lag.ts';
import { UploadStore } from './upload-store.ts';

/** Interval of the removal of expired Uploads and Files. */
const SWEEP_MS = 60_000;

/** A running local API. */
export interface LocalApi {
  /** Base URL for clients, such as `http://127.0.0.1:1234/v1`, for Azure `http://127.0.0.1:1234/openai/v1`. */
  readonly url: string;
  readonly port: number;
  /** The same faults as `/_admin/faults`. */
  readonly faults: Faults;
  stats(): LocalApiStats;
  /** Changes settings while the server runs, as `PATCH /_admin/settings`. */
  configure(changes: SettingsChange): LocalApiSettings;
  /** Closes all connections and releases the port. Everything with a response stays in the data directory. */
  close(): Promise<void>;
}

/**
 * Starts the strict OpenAI-compatible Uploads and Files server.
 * @throws ConfigError if an option is invalid, or the port or the data directory cannot be used
 */
export async function startLocalApi(options: LocalApiOptions): Promise<LocalApi> {
  const { host: given, port: wantedPort } = { ...LocalApiDefaults, ...withoutUndefined(options) };
  const host = withoutBrackets(given);
  const settings = settingsSchema.strip().safeParse(options);
  if (!settings.success) {
    const problems = settings.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`invalid options of the local API: ${problems.join('; ')}`);
  }
  // The port is first. It prevents a second server from using the same data directory.
  const backlog: Parameters<RequestListener>[] = [];
  let accept: RequestListener = (...request) => backlog.push(request);
  const server = await listen(host, wantedPort, (message, response) => accept(message, response));
  let store: UploadStore;
  let batches: BatchStore;
  try {
    store = await UploadStore.open(options.dataDir, { ids: styleOf(options).ids });
    batches = await BatchStore.open(options.dataDir, store);
  } catch (error) {
    await closeServer(server);
    throw error;
  }

  const closing = new AbortController();
  // Each request that waits has a listener.
  setMaxListeners(0, closing.signal);
  const { admin, context } = assemble(options, { store, batches }, closing.signal);
  const app = new App(context, admin, options.log);
  accept = (message, response) => app.accept(message, response);
  for (const request of backlog) accept(...request);
  const sweeper = setInterval(() => store.sweep(), SWEEP_MS);

  const close = async (): Promise<void> => {
    clearInterval(sweeper);
    closing.abort();
    context.bandwidth.close();
    await closeServer(server);
    await app.settle();
    await batches.settle();
    await store.settle();
  };
  let closed: Promise<void> | undefined;
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${hostOfUrl(host)}:${port}${context.rules.style.basePath}`,
    port,
    faults: admin.faults,
    stats: () => admin.stats(),
    configure: (changes) => admin.configure(changes),
    close: () => (closed ??= close()),
  };
}

function assemble(
  options: LocalApiOptions,
  { store, batches }: Pick<ApiContext, 'store' | 'batches'>,
  closing: AbortSignal,
): { admin: AdminControl; context: ApiContext } {
  const defaults = options.azure ? { ...LocalApiDefaults, ...AzureDefaults } : LocalApiDefaults;
  const given = { ...defaults, ...withoutUndefined(options) };
  const { bandwidthBytesPerSecond = null, latencyMs, listLagMs, listLagRequests, sessionLifeSeconds } = given;
  let settings = { bandwidthBytesPerSecond, latencyMs, listLagMs, listLagRequests, sessionLifeSeconds };
  const { apiKey, maxFileBytes, maxPartBytes, strictSums, purposes } = given;
  const hosts = [given.host, ...(given.allowedHosts ?? [])].map(withoutBrackets);
  const context: ApiContext = {
    store,
    batches,
    listLag: new ListLag(),
    rules: { style: styleOf(options), hosts, apiKey, maxFileBytes, maxPartBytes, strictSums, purposes },
    stats: new StatsRecorder(),
    bandwidth: new Bandwidth(settings.bandwidthBytesPerSecond),
    settings: () => settings,
    closing,
  };
  const admin: AdminControl = {
    faults: new Faults(),
    store,
    stats: () => context.stats.report(store),
    settings: () => settings,
    configure: (changes) => {
      const valid = settingsSchema.parse(changes);
      settings = { ...settings, ...withoutUndefined(valid) };
      context.bandwidth.bytesPerSecond = settings.bandwidthBytesPerSecond;
      return settings;
    },
  };
  return { admin, context };
}

function styleOf({ azure = false }: LocalApiOptions): ServiceStyle {
  return azure ? azureStyle : openAiStyle;
}

async function listen(host: string, port: number, listener: RequestListener): Promise<Server> {
  const server = createServer({ keepAlive: true, keepAliveTimeout: 60_000, headersTimeout: 65_000 }, listener);
  // A large body over a slow connection can take any time.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  return server;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ConfigError {
  const fixes: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Stop the program that uses the port, or choose another port (0: any free port).',
    EACCES: 'Choose another port (0: any free port).',
  };
  const code = error.code ?? '';
  return new ConfigError(
    `cannot listen on ${host}, port ${port}: ${causeOf(error)}. ${fixes[code] ?? 'Choose an address of this machine.'}`,
    { cause: error },
  );
}
