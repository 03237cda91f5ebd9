import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { LonghaulClient, LonghaulError } from 'longhaul';
import { startChaosProxy, type ChaosProxy } from '../support/chaos-proxy.ts';
import { withTempDir } from '../support/temp-dir.ts';
import { Api, Fleet } from './actors.ts';
import { perform, type Done, type Stage } from './actions.ts';
import { judge, type Evidence } from './oracle.ts';
import type { Moment, Plan } from './plan.ts';
import { withChaosSource, type ChaosSource } from './sources.ts';

/** The Temporal server that runs share. */
export interface ChaosTemporal {
  readonly address: string;
  readonly client: Client;
  readonly kill: () => void;
  /** When it was killed, by any of the runs that share it. Unix milliseconds. */
  readonly killedAtMs: readonly number[];
}

export interface Outcome {
  readonly evidence: Evidence;
  /** Empty when the run held. */
  readonly problems: readonly string[];
  readonly durationMs: number;
  /** Temporal's history of a run with problems, as JSON. */
  readonly history: string | undefined;
}

export interface RunOptions {
  /** A run that is not over then hangs. @defaultValue 120,000 */
  readonly limitMs?: number;
  /** Whether the service is Azure OpenAI. @defaultValue false */
  readonly isAzure?: boolean;
  /** Whether only what the plan kills, stops or freezes has a process. @defaultValue false: each worker and the API has one */
  readonly isLight?: boolean;
}

const HEARTBEAT_TIMEOUT_MS = 2000;
const WATCH_INTERVAL_MS = 100;
const OPERATOR_INTERVAL_MS = 700;
/** How long the wire is watched behind the end. */
const AFTERMATH_MS = 600;

/** Runs a plan and checks the result. */
export function runPlan(plan: Plan, temporal: ChaosTemporal, options: RunOptions = {}): Promise<Outcome> {
  return withTempDir(async (directory) => {
    const content = randomBytes(plan.sizeBytes);
    const sourceDigest = createHash('sha256').update(content).digest('hex');
    const origin = { directory, filename: `chaos-${plan.seed}.bin`, content };
    return withChaosSource(plan.source, origin, async (source) => {
      const { isAzure = false, isLight = false } = options;
      const api = new Api(directory, plan, { isAzure, isLight });
      await api.start();
      const { lineBytesPerSecond } = plan.api;
      const proxy = await startChaosProxy(api.port, lineBytesPerSecond === null ? {} : { lineBytesPerSecond });
      const taskQueue = `chaos-${plan.seed}-${randomUUID()}`;
      let fleet: Fleet | undefined;
      try {
        const { address: temporalAddress } = temporal;
        fleet = await Fleet.start(plan, {
          directory,
          temporalAddress,
          taskQueue,
          apiPort: proxy.port,
          isAzure,
          isLight,
          source,
        });
        return await upload({ plan, temporal, source, api, proxy, fleet, taskQueue, sourceDigest }, options);
      } finally {
        await fleet?.end();
        await proxy.close();
        await api.kill();
      }
    });
  });
}

interface Scene {
  readonly plan: Plan;
  readonly temporal: ChaosTemporal;
  readonly source: ChaosSource;
  readonly api: Api;
  readonly proxy: ChaosProxy;
  readonly fleet: Fleet;
  readonly taskQueue: string;
  readonly sourceDigest: string;
}

async function upload(scene: Scene, { limitMs = 120_000 }: RunOptions): Promise<Outcome> {
  const { plan, temporal, source, api, proxy, fleet, taskQueue } = scene;
  const startedAtMs = Date.now();
  const done: Done[] = [];
  const problems: string[] = [];
  const over = new AbortController();
  const client = new LonghaulClient(temporal.client, { taskQueue, host: hostname() });

  const [early, later] = partition(plan);
  for (const { deed } of early) done.push(await armed(api, deed));
  const handle = await client.upload({
    source: source.source,
    purpose: 'assistants',
    partSizeBytes: plan.partSizeBytes,
    concurrency: plan.concurrency,
    maxSessions: plan.maxSessions,
    md5: plan.md5,
    heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS,
    id: taskQueue,
  });
  const wait = (ms: number) => delay(ms, undefined, { signal: over.signal }).catch(() => {});
  const stage: Stage = {
    source,
    api,
    fleet,
    proxy,
    handle,
    killTemporal: temporal.kill,
    wait,
    isOver: () => over.signal.aborted,
  };
  const deeds = later.map(async ({ when, deed }) => {
    while (!hasCome(when, proxy)) {
      if (over.signal.aborted) return;
      await wait(5);
    }
    if (over.signal.aborted) return;
    const entry: Done = { deed, atMs: Date.now(), endMs: Infinity, hit: false, strikes: 1 };
    done.push(entry);
    await perform(stage, entry).catch((error: unknown) => {
      entry.endMs = Date.now();
      if (!isExpected(error)) problems.push(`${deed.kind} could not be done: ${String(error)}`);
    });
  });

  const workflow = temporal.client.workflow.getHandle(handle.workflowId);
  const waits: string[] = [];
  const operator = operate(stage, waits).catch((error: unknown) =>
    problems.push(`asking for the status: ${String(error)}`),
  );
  const end = await watch(workflow, startedAtMs + limitMs);
  over.abort();
  await operator;
  await Promise.all([delay(AFTERMATH_MS), ...deeds]);
  await noteStrikes(api, done);
  await api.clearFaults();
  noteForeignKills(temporal, startedAtMs, end.closedAtMs, done);
  const files = await Promise.all((await api.files()).map(async ({ id }) => ({ id, content: await api.content(id) })));
  const evidence: Evidence = {
    plan,
    sourceDigest: scene.sourceDigest,
    ...end,
    done,
    waits,
    uploads: await api.uploads(),
    files,
    requests: proxy.requests,
    problems,
  };
  const found = judge(evidence);
  const history = found.length > 0 ? historyToJSON(await workflow.fetchHistory()) : undefined;
  if (end.status === 'RUNNING') await workflow.terminate('it hangs').catch(() => {});
  return { evidence, problems: found, durationMs: Date.now() - startedAtMs, history };
}

/** Looks at the upload now and then, and has it try again when it waits. What it waited for goes into `waits`. */
async function operate({ handle, isOver, wait }: Stage, waits: string[]): Promise<void> {
  while (!isOver()) {
    await wait(OPERATOR_INTERVAL_MS);
    try {
      const { waiting } = await handle.status();
      if (!waiting) continue;
      waits.push(waiting.failureType);
      await handle.retry();
    } catch (error) {
      if (!isExpected(error)) throw error;
    }
  }
}

/** Faults of the routes that are called first must be enabled before the start. */
function partition(plan: Plan): [Plan['deeds'], Plan['deeds']] {
  const isEarly = ({ when, deed }: Plan['deeds'][number]) =>
    deed.kind === 'api-fault' && 'parts' in when && when.parts === 0;
  return [plan.deeds.filter(isEarly), plan.deeds.filter((planned) => !isEarly(planned))];
}

async function armed(api: Api, deed: Done['deed']): Promise<Done> {
  const faultId = deed.kind === 'api-fault' ? await api.addFault(deed.fault) : '';
  return { deed, atMs: Date.now(), endMs: Date.now(), hit: false, strikes: 0, faultId };
}

function hasCome(when: Moment, { requests }: ChaosProxy): boolean {
  if ('parts' in when) {
    return requests.filter(({ path, status }) => path.endsWith('/parts') && status === 200).length >= when.parts;
  }
  return requests.some(({ path }) => path.endsWith(when.request === 'create' ? '/uploads' : '/complete'));
}

/** A control can be rejected, and a process that is down does not respond. Both are clear errors. */
function isExpected(error: unknown): boolean {
  return error instanceof LonghaulError || (error instanceof TypeError && error.message === 'fetch failed');
}

async function noteStrikes(api: Api, done: readonly Done[]): Promise<void> {
  const strikes = await api.strikes();
  for (const entry of done) {
    if (entry.faultId === undefined) continue;
    entry.strikes = strikes.get(entry.faultId) ?? 0;
    entry.hit = entry.strikes > 0;
  }
}

function noteForeignKills({ killedAtMs }: ChaosTemporal, fromMs: number, toMs: number, done: Done[]): void {
  const own = done.filter(({ deed }) => deed.kind === 'kill-temporal');
  const foreign = killedAtMs.filter(
    (atMs) => atMs >= fromMs - 1000 && atMs <= toMs && !own.some((entry) => Math.abs(entry.atMs - atMs) < 50),
  );
  for (const atMs of foreign) {
    done.push({ deed: { kind: 'kill-temporal' }, atMs, endMs: atMs, hit: true, strikes: 1 });
  }
}

interface End {
  readonly status: string;
  readonly closedAtMs: number;
  readonly failureType: string | undefined;
  readonly failureMessage: string | undefined;
}

/** Waits for the end in Temporal. The server can be unavailable in between. */
async function watch(workflow: WorkflowHandle, deadlineMs: number): Promise<End> {
  for (;;) {
    const found = await workflow.describe().catch(() => undefined);
    if (found && found.status.name !== 'RUNNING') {
      const failure = found.status.name === 'FAILED' ? await failureOf(workflow) : undefined;
      return {
        status: found.status.name,
        closedAtMs: found.closeTime?.getTime() ?? Date.now(),
        failureType: failure?.type ?? undefined,
        failureMessage: failure?.message,
      };
    }
    if (Date.now() > deadlineMs) {
      return { status: 'RUNNING', closedAtMs: Date.now(), failureType: undefined, failureMessage: undefined };
    }
    await delay(WATCH_INTERVAL_MS);
  }
}

async function failureOf(workflow: WorkflowHandle): Promise<{ type?: string | null | undefined; message: string }> {
  for (;;) {
    try {
      await workflow.result();
      return { message: 'a result after all' };
    } catch (error) {
      if (error instanceof WorkflowFailedError) {
        const { cause } = error;
        return cause instanceof ApplicationFailure ? cause : { message: String(cause) };
      }
      await delay(WATCH_INTERVAL_MS);
    }
  }
}
