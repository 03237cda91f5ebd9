import { createServer, type ServerResponse } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Agent, request } from 'undici';
import { causeOf } from '../../core/text/errno-cause.ts';
import { ConfigError } from '../../errors.ts';
import { closeServer, listenOn } from '../../network/http-server.ts';

interface MetricsServerOptions {
  /** 0: selected by the system. */
  readonly port: number;
  /** @defaultValue 127.0.0.1 */
  readonly host?: string;
  readonly registry: Registry;
  /** Address of the metrics of Temporal's SDK, which follow ours. */
  readonly sdkMetricsUrl?: string | undefined;
}

export interface MetricsServer {
  /** `http://HOST:PORT` */
  readonly url: string;
  /** Before this call, nothing is ready. @param isReady called at most once per second */
  readonly watch: (isReady: () => Promise<boolean>) => void;
  close(): Promise<void>;
}

const READY_FOR_MS = 1000;
const SDK_TIMEOUT_MS = 5000;

/** Serves the metrics of this process and of its worker, which has the options. @throws ConfigError as `startMetricsServer` */
export async function openWorkerMetrics(
  address: Omit<MetricsServerOptions, 'registry'>,
  destinations: readonly string[],
) {
  const registry = new Registry();
  const server = await startMetricsServer({ ...address, registry });
  collectDefaultMetrics({ register: registry });
  return { server, options: { registry, destinations } };
}

/**
 * Serves `/metrics`, `/healthz` (this process responds) and `/readyz` (its workers run, and Temporal responds to them).
 *
 * @throws ConfigError if the port is in use, or the address is not one of this machine
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { port, host = '127.0.0.1', registry, sdkMetricsUrl } = options;
  const readiness = new Readiness();
  const routes: Readonly<Record<string, () => Promise<Answer>>> = {
    '/metrics': async () => {
      const sdk = sdkMetricsUrl === undefined ? '' : await readSdkMetrics(sdkMetricsUrl);
      return { status: 200, type: registry.contentType, text: (await registry.metrics()) + sdk };
    },
    '/healthz': async () => plain(200, 'ok'),
    '/readyz': async () => ((await readiness.ask()) ? plain(200, 'ready') : plain(503, 'not ready')),
  };
  const server = createServer((incoming, response) => {
    const path = incoming.url?.split('?')[0] ?? '';
    const route = routes[path];
    if (!route) return send(response, plain(404, 'the paths are /metrics, /healthz and /readyz'));
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD')
      return send(response, plain(405, 'only GET is permitted'));
    route().then(
      (answer) => send(response, answer),
      (error: unknown) => send(response, plain(500, `the metrics cannot be read: ${(error as Error).message}`)),
    );
  });
  const url = await listenOn(server, port, host).catch((error: NodeJS.ErrnoException) => {
    const isPort = error.code === 'EADDRINUSE' || error.code === 'EACCES';
    throw new ConfigError(
      `cannot serve metrics on ${host}:${port}: ${causeOf(error)}. ` +
        `Use another --metrics-${isPort ? 'port' : 'host'}.`,
      { cause: error },
    );
  });
  return {
    url,
    watch: (isReady) => readiness.watch(isReady),
    close: () => closeServer(server),
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', text: `${text}\n` };
}

function send(response: ServerResponse, { status, type, text }: Answer): void {
  response.writeHead(status, { 'content-type': type }).end(text);
}

/** Not the dispatcher of the process, which can use a proxy: NODE_USE_ENV_PROXY of Node.js 24 sets it. */
const direct = new Agent();

async function readSdkMetrics(url: string): Promise<string> {
  const { statusCode, body } = await request(url, { dispatcher: direct, signal: AbortSignal.timeout(SDK_TIMEOUT_MS) });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`Temporal's SDK returned ${statusCode}`);
  return withSnakeCase(text);
}

/** Temporal's meter for workflows uses JavaScript names for its labels, which Prometheus does not. */
function withSnakeCase(text: string): string {
  return text.replace(/^longhaul_.*$/gm, (line) =>
    line.replace(/([{,])taskQueue=/, '$1task_queue=').replace(/([{,])workflowType=/, '$1workflow_type='),
  );
}

/** Checks at most once per second, for any number of requests. */
class Readiness {
  #isReady: (() => Promise<boolean>) | undefined;
  #last: { readonly atMs: number; readonly answer: Promise<boolean> } | undefined;

  watch(isReady: () => Promise<boolean>): void {
    this.#isReady = isReady;
    this.#last = undefined;
  }

  ask(): Promise<boolean> {
    if (!this.#isReady) return Promise.resolve(false);
    const nowMs = performance.now();
    if (!this.#last || nowMs - this.#last.atMs > READY_FOR_MS) {
      this.#last = { atMs: nowMs, answer: this.#isReady().catch(() => false) };
    }
    return this.#last.answer;
  }
}
