import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault, FaultSpec } from '../../src/local-api/faults.ts';
import type { UploadStats } from '../../src/local-api/stats.ts';
import { beginCli, startCli } from '../support/cli.ts';
import { until } from '../support/until.ts';
import { STALL_TIMEOUT_MS, type Deed, type Plan } from './plan.ts';
import type { ChaosSource } from './sources.ts';

const KEY = 'sk-chaos';

/** A command of a run, in a separate process or in this one. */
interface Actor {
  readonly said: () => string;
  readonly hasEnded: () => boolean;
  /** In this process, each signal requests the end. */
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<unknown>;
}

function startProcess(args: readonly string[], environment: Readonly<Record<string, string>>): Actor {
  const { child, said, ended } = startCli(args, environment);
  return { said, ended, hasEnded: () => child.exitCode !== null, signal: (signal) => child.kill(signal) };
}

function startInProcess(args: readonly string[], environment: Readonly<Record<string, string>>): Actor {
  const { stderr, interrupt, ended } = beginCli(args, environment);
  let hasEnded = false;
  const note = () => (hasEnded = true);
  void ended.then(note, note);
  return { said: stderr, ended, hasEnded: () => hasEnded, signal: interrupt };
}

async function endNow(actor: Actor): Promise<void> {
  actor.signal('SIGKILL');
  await actor.ended;
}

/**
 * The local API, on one port and data directory for the whole run. A SIGKILL loses what it only has in memory: the faults
 * that are switched on (how often each struck is read just before), and the counts of requests and of parts that started and
 * were never stored. So requests are counted at the proxy, and never here.
 */
export class Api {
  readonly #arguments: string[];
  readonly #struck = new Map<string, number>();
  readonly #isAzure: boolean;
  readonly #launch: typeof startProcess;
  #run: Actor | undefined;
  #port = 0;

  constructor(directory: string, { api, deeds }: Plan, { isAzure, isLight }: ActorOptions) {
    this.#isAzure = isAzure;
    this.#launch = isLight && !deeds.some(({ deed }) => deed.kind === 'kill-api') ? startInProcess : startProcess;
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
    const run = this.#launch([...this.#arguments, '--port', String(this.#port)], { LONGHAUL_LOCAL_API_KEY: KEY });
    this.#run = run;
    await until(() => {
      if (run.hasEnded()) throw new Error(`the local API ended: ${run.said()}`);
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

export interface ActorOptions {
  readonly isAzure: boolean;
  /** Whether only the actors that the plan kills, stops or freezes have a process. */
  readonly isLight: boolean;
}

export interface FleetOptions extends ActorOptions {
  readonly directory: string;
  readonly temporalAddress: string;
  readonly taskQueue: string;
  /** Where the workers find the API: the proxy's port. */
  readonly apiPort: number;
  readonly source: ChaosSource;
}

/** Workers, each in a numbered place. */
export class Fleet {
  readonly #places: (Actor | undefined)[];
  readonly #slots: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  /** Of each place, the number of its next workers that need a process. */
  readonly #processes: number[];

  private constructor(plan: Plan, environment: Readonly<Record<string, string>>, isLight: boolean) {
    this.#places = Array.from({ length: plan.workers }, () => undefined);
    this.#processes = this.#places.map((_, place) =>
      isLight ? plan.deeds.filter(({ deed }) => needsProcess(deed, place)).length : Infinity,
    );
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
    const environment = {
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
    };
    const fleet = new Fleet(plan, environment, options.isLight);
    for (let place = 0; place < plan.workers; place++) fleet.#start(place);
    // An action would otherwise meet a process that only loads its code.
    await Promise.all(fleet.places.map((place) => fleet.#ready(place)));
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
    run?.signal('SIGTERM');
    const outcome = await run?.ended;
    await downMs();
    this.#start(place);
    return outcome !== undefined;
  }

  async freeze(place: number, wait: () => Promise<void>): Promise<boolean> {
    const run = this.#places[place];
    run?.signal('SIGSTOP');
    await wait();
    run?.signal('SIGCONT');
    return run !== undefined;
  }

  async end(): Promise<void> {
    await Promise.all(this.#places.map(async (run) => run && (await endNow(run))));
  }

  get places(): readonly number[] {
    return [...this.#places.keys()];
  }

  #take(place: number): Actor | undefined {
    const run = this.#places[place];
    this.#places[place] = undefined;
    return run;
  }

  #start(place: number): void {
    // Another action can have started a worker in the meantime.
    if (this.#places[place]) return;
    const start = (this.#processes[place] as number) > 0 ? startProcess : startInProcess;
    this.#processes[place] = (this.#processes[place] as number) - 1;
    this.#places[place] = start(['worker', ...this.#slots], this.#environment);
  }

  async #ready(place: number): Promise<void> {
    let said = '';
    await until(
      () => {
        const run = this.#places[place];
        said = run?.said() ?? said;
        // Another run can have killed the shared Temporal server. Each run restarts its workers.
        if (run?.hasEnded()) this.#take(place);
        this.#start(place);
        return said.includes('worker on ');
      },
      () => `a worker to serve, which said: ${said}`,
    );
  }
}

function needsProcess(deed: Deed, place: number): boolean {
  return deed.kind === 'kill-all-workers' || ('worker' in deed && deed.worker === place);
}
