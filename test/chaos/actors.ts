import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault, FaultSpec } from '../../src/local-api/faults.ts';
import type { UploadStats } from '../../src/local-api/stats.ts';
import { startCli, type CliRun } from '../support/cli.ts';
import { until } from '../support/until.ts';
import { STALL_TIMEOUT_MS, type Plan } from './plan.ts';
import type { ChaosSource } from './sources.ts';

const KEY = 'sk-chaos';

async function endNow(run: CliRun): Promise<void> {
  run.child.kill('SIGKILL');
  await run.ended;
}

/**
 * The local API in a separate process, on one port and data directory for the whole run. A SIGKILL loses what it only
 * has in memory: the faults that are switched on (how often each struck is read just before), and the counts of requests
 * and of parts that started and were never stored. So requests are counted at the proxy, and never here.
 */
export class ApiProcess {
  readonly #arguments: string[];
  readonly #struck = new Map<string, number>();
  #run: CliRun | undefined;
  #port = 0;

  readonly #isAzure: boolean;

  constructor(directory: string, { api }: Plan, isAzure: boolean) {
    this.#isAzure = isAzure;
    const { bandwidthBytesPerSecond, latencyMs, strictSums } = api;
    const flags = `--bandwidth ${bandwidthBytesPerSecond} --latency ${latencyMs}`.split(' ');
    this.#arguments = ['local-api', '--data', join(directory, 'api'), ...flags];
    if (strictSums) this.#arguments.push('--strict-sums');
    if (isAzure) this.#arguments.push('--azure');
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const run = startCli([...this.#arguments, '--port', String(this.#port)], { LONGHAUL_LOCAL_API_KEY: KEY });
    this.#run = run;
    await until(() => {
      if (run.child.exitCode !== null) throw new Error(`the local API ended: ${run.said()}`);
      return /OPENAI_(BASE_URL|ENDPOINT)=/.test(run.said());
    }, 'the local API to serve');
    this.#port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(run.said())?.[1]);
  }

  /** Whether it ran: another action can have killed it already, and restarts it. */
  async kill(): Promise<boolean> {
    const run = this.#run;
    this.#run = undefined;
    if (!run) return false;
    await this.#noteStrikes().catch(() => {});
    await endNow(run);
    return true;
  }

  async addFault(fault: FaultSpec): Promise<string> {
    const answer = await this.#call('POST', '/_admin/faults', fault);
    return ((await answer.json()) as Fault).id;
  }

  /** How often each fault struck, by its id. */
  async strikes(): Promise<ReadonlyMap<string, number>> {
    await this.#noteStrikes();
    return this.#struck;
  }

  async uploads(): Promise<readonly UploadStats[]> {
    const answer = await this.#call('GET', '/_admin/stats');
    return ((await answer.json()) as { uploads: UploadStats[] }).uploads;
  }

  /** Whether there was an Upload that could be ended. */
  async endSession(how: 'cancel' | 'expire'): Promise<boolean> {
    const pending = (await this.uploads()).find(({ status }) => status === 'pending');
    if (!pending) return false;
    const path =
      how === 'cancel' ? `${this.#base}/uploads/${pending.id}/cancel` : `/_admin/uploads/${pending.id}/expire`;
    return (await this.#call('POST', path)).ok;
  }

  async clearFaults(): Promise<void> {
    await this.#call('DELETE', '/_admin/faults');
  }

  async files(): Promise<readonly { readonly id: string; readonly filename: string; readonly bytes: number }[]> {
    const answer = await this.#call('GET', `${this.#base}/files`);
    return ((await answer.json()) as { data: { id: string; filename: string; bytes: number }[] }).data;
  }

  async content(fileId: string): Promise<Buffer> {
    const answer = await this.#call('GET', `${this.#base}/files/${fileId}/content`);
    return Buffer.from(await answer.arrayBuffer());
  }

  async #noteStrikes(): Promise<void> {
    const answer = await this.#call('GET', '/_admin/faults');
    for (const { id, fired } of ((await answer.json()) as { faults: Fault[] }).faults) this.#struck.set(id, fired);
  }

  get #base(): string {
    return this.#isAzure ? '/openai/v1' : '/v1';
  }

  #call(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method,
      headers: {
        ...(this.#isAzure ? { 'api-key': KEY } : { authorization: `Bearer ${KEY}` }),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(10_000),
    });
  }
}

export interface FleetOptions {
  readonly directory: string;
  readonly temporalAddress: string;
  readonly taskQueue: string;
  /** Where the workers find the API: the proxy's port. */
  readonly apiPort: number;
  readonly isAzure: boolean;
  readonly source: ChaosSource;
}

/** Worker processes, each in a numbered place. */
export class Fleet {
  readonly #places: (CliRun | undefined)[];
  readonly #slots: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(plan: Plan, environment: Readonly<Record<string, string>>) {
    this.#places = Array.from({ length: plan.workers }, () => undefined);
    this.#slots = plan.slots === null ? [] : ['--slots', String(plan.slots)];
    this.#environment = environment;
  }

  static async start(plan: Plan, options: FleetOptions): Promise<Fleet> {
    const address = `http://127.0.0.1:${options.apiPort}`;
    const service = options.isAzure
      ? { kind: 'azure', baseUrl: address, apiVersion: '2025-04-01-preview' }
      : { baseUrl: `${address}/v1` };
    const config = join(options.directory, 'config.json');
    const destinations = { default: { ...service, stallTimeoutMs: STALL_TIMEOUT_MS } };
    await writeFile(config, JSON.stringify({ destinations, sources: options.source.workerSettings }));
    const fleet = new Fleet(plan, {
      TEMPORAL_ADDRESS: options.temporalAddress,
      LONGHAUL_TASK_QUEUE: options.taskQueue,
      LONGHAUL_STATE_DIR: join(options.directory, 'state'),
      LONGHAUL_CONFIG: config,
      LONGHAUL_HEARTBEAT_INTERVAL_MS: '500',
      LONGHAUL_LOG_LEVEL: 'error',
      OPENAI_API_KEY: KEY,
      AZURE_OPENAI_API_KEY: KEY,
      LONGHAUL_ANY_SOURCE: 'true',
      ...options.source.environment,
    });
    for (let place = 0; place < plan.workers; place++) fleet.#start(place);
    await fleet.#ready(0);
    return fleet;
  }

  async killAndRestart(places: readonly number[], downMs: () => Promise<void>): Promise<boolean> {
    const runs = places.map((place) => this.#take(place)).filter((run) => run !== undefined);
    await Promise.all(runs.map(endNow));
    await downMs();
    for (const place of places) this.#start(place);
    return runs.length > 0;
  }

  /** A deploy: the worker is asked to end, and a new one comes. */
  async replace(place: number, downMs: () => Promise<void>): Promise<boolean> {
    const run = this.#take(place);
    run?.child.kill('SIGTERM');
    const outcome = await run?.ended;
    await downMs();
    this.#start(place);
    return outcome !== undefined;
  }

  async freeze(place: number, wait: () => Promise<void>): Promise<boolean> {
    const run = this.#places[place];
    run?.child.kill('SIGSTOP');
    await wait();
    run?.child.kill('SIGCONT');
    return run !== undefined;
  }

  async end(): Promise<void> {
    await Promise.all(this.#places.map(async (run) => run && (await endNow(run))));
  }

  get places(): readonly number[] {
    return [...this.#places.keys()];
  }

  #take(place: number): CliRun | undefined {
    const run = this.#places[place];
    this.#places[place] = undefined;
    return run;
  }

  #start(place: number): void {
    // Another action can have started a worker in the meantime.
    this.#places[place] ??= startCli(['worker', ...this.#slots], this.#environment);
  }

  async #ready(place: number): Promise<void> {
    let said = '';
    await until(
      () => {
        const run = this.#places[place];
        said = run?.said() ?? said;
        // Another run can have killed the shared Temporal server. Each run restarts its workers.
        if (run && run.child.exitCode !== null) this.#take(place);
        this.#start(place);
        return said.includes('worker on ');
      },
      () => `a worker to serve, which said: ${said}`,
    );
  }
}
