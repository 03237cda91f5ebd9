import { createHash } from 'node:crypto';
import type { UploadStats } from '../../src/local-api/stats.ts';
import type { SeenRequest } from '../support/chaos-proxy.ts';
import type { Done } from './actions.ts';
import type { Deed, Plan } from './plan.ts';

/** What is known of a run without asking the code under test. */
export interface Evidence {
  readonly plan: Plan;
  /** SHA-256 of the source at the start of the upload. */
  readonly sourceDigest: string;
  /** Temporal's own word: RUNNING is one that did not end in time. */
  readonly status: string;
  /** Unix milliseconds of the end, by Temporal. */
  readonly closedAtMs: number;
  /** Type of the failure in the last event of the history. */
  readonly failureType: string | undefined;
  readonly failureMessage: string | undefined;
  readonly done: readonly Done[];
  /** Types of the failures for which the upload waited, according to its progress. */
  readonly waits: readonly string[];
  readonly uploads: readonly UploadStats[];
  readonly files: readonly { readonly id: string; readonly content: Buffer }[];
  readonly requests: readonly SeenRequest[];
  /** Problems of the run, such as an action that failed. */
  readonly problems: readonly string[];
}

/** What a clock and a loaded machine may add between the end at Temporal and the last bytes seen on the wire. */
const END_SLACK_MS = 300;

const STANDSTILLS = new Set<Deed['kind']>(['freeze-worker', 'net-stall', 'net-black-hole', 'net-throttle']);
const ENDS_OF_SESSIONS = new Set(['cancel-session', 'expire-session']);

/** Everything that is wrong with the run; empty when it held. */
export function judge(evidence: Evidence): string[] {
  return [
    ...evidence.problems,
    ...judgeOutcome(evidence),
    ...judgeWaits(evidence),
    ...judgeSessions(evidence),
    ...judgeEnd(evidence),
    ...judgeWaste(evidence),
  ];
}

function judgeOutcome(evidence: Evidence): string[] {
  const { status, files, plan, sourceDigest } = evidence;
  const wrong = files.filter(({ content }) => digest(content) !== sourceDigest);
  const problems = wrong.map(({ id, content }) => `${id} (${content.byteLength} bytes) is not the source's bytes`);
  if (files.length > 1) problems.push(`${files.length} Files instead of one`);
  switch (status) {
    case 'COMPLETED':
      return files.length === 0 ? [...problems, 'the workflow succeeded without a File'] : problems;
    case 'FAILED':
      if (files.length > 0) problems.push(`the workflow failed (${evidence.failureType}), but its File exists`);
      if (!isJustified(evidence)) {
        problems.push(`nothing that was done justifies ${evidence.failureType}: ${evidence.failureMessage}`);
      }
      return problems;
    case 'CANCELLED':
      if (!hit(evidence, 'cancel-upload')) problems.push('it was cancelled without a request');
      if (files.length > 0 && !completionBegan(evidence)) problems.push('it was cancelled, but its File exists');
      return problems;
    case 'RUNNING':
      return [...problems, `it hangs: no end within the time for a run of ${plan.sizeBytes} bytes`];
    default:
      return [...problems, `it ended as ${status}`];
  }
}

/** A failure has a type of ours, and something that was done explains it. */
function isJustified(evidence: Evidence): boolean {
  const { failureType, plan } = evidence;
  const edits = evidence.done.flatMap(({ deed, hit: met }) => (met && deed.kind === 'edit-source' ? [deed.edit] : []));
  switch (failureType ?? '') {
    case 'SourceChanged':
      return edits.length > 0;
    case 'SourceMissing':
      // Before anything was created there is nothing to keep by waiting.
      return hit(evidence, 'hide-source') && evidence.uploads.length === 0;
    case 'SessionLost':
      return sessionsEnded(evidence) >= plan.maxSessions;
    case 'ApiRejected':
      // Servers report a cancelled session with 400. The failure of the last session contains the API's message.
      return struckStatus(evidence, 422) || sessionsEnded(evidence) >= plan.maxSessions;
    default:
      return false;
  }
}

/** An upload waits for a person only where a person can do something. */
function judgeWaits(evidence: Evidence): string[] {
  const isRefused = [401, 403].some((status) => struckStatus(evidence, status));
  return [...new Set(evidence.waits)]
    .filter((type) => !(type === 'SourceMissing' && hit(evidence, 'hide-source')))
    .filter((type) => !(type === 'ApiRejected' && isRefused))
    .map((type) => `it waited for a person, although nothing was done that leads to ${type}`);
}

/** Sessions that something outside ended, or that a strict server took for spent. */
function sessionsEnded({ done, plan, requests, uploads }: Evidence): number {
  const strikes = done.filter(({ deed, hit: met }) => {
    const isExpiry = deed.kind === 'api-fault' && deed.fault.kind === 'expire';
    return met && (ENDS_OF_SESSIONS.has(deed.kind) || isExpiry);
  });
  const partCount = Math.ceil(plan.sizeBytes / plan.partSizeBytes);
  const spent = uploads.filter(({ id }) => partsBegun(requests, id).length > partCount);
  return strikes.length + (plan.api.strictSums ? spent.length : 0);
}

/** An open session is permitted only if the response to its creation was lost. */
function judgeSessions({ uploads, requests, status }: Evidence): string[] {
  if (status === 'RUNNING') return [];
  const open = uploads.filter((upload) => upload.status === 'pending');
  const isKnown = (id: string) => requests.some(({ path }) => path.includes(id));
  const problems = open.filter(({ id }) => isKnown(id)).map(({ id }) => `${id} was left open`);
  const orphans = open.filter(({ id }) => !isKnown(id)).length;
  const created = requests.filter(({ path }) => path.endsWith('/uploads'));
  const used = uploads.filter(({ id }) => isKnown(id)).length;
  if (orphans > created.length - used) problems.push(`${orphans} sessions were opened and forgotten`);
  return problems;
}

/**
 * No request of any kind after the end, but of a worker that was frozen and can't know, and of what was sent before and
 * were in a stalled network.
 */
function judgeEnd({ closedAtMs, done, requests, status }: Evidence): string[] {
  if (status === 'RUNNING') return [];
  const isFrozen = done.some(
    ({ deed, atMs, endMs }) => STANDSTILLS.has(deed.kind) && atMs <= closedAtMs && endMs >= closedAtMs - 1000,
  );
  const late = requests.filter(({ startedAtMs }) => startedAtMs > closedAtMs + END_SLACK_MS);
  return isFrozen ? [] : late.map(({ method, path }) => `after the end ${method} ${path} was sent`);
}

/**
 * Per session: additional started parts, compared with aborted parts. A dead worker takes down what was in its
 * slots; where the service can't be reached every part of the window may fail once before the first is tried again.
 */
function judgeWaste({ done, plan, requests, uploads }: Evidence): string[] {
  const partCount = Math.ceil(plan.sizeBytes / plan.partSizeBytes);
  const retunes = done.flatMap(({ deed }) => (deed.kind === 'retune' ? [deed.concurrency] : []));
  const window = Math.max(plan.concurrency, ...retunes);
  const allowed = done
    .filter(({ hit: met }) => met)
    .reduce(
      (sum, { deed, strikes }) => sum + strikes * (isDeath(deed) ? Math.min(window, plan.slots ?? Infinity) : window),
      0,
    );
  return uploads.flatMap(({ id }) => {
    const waste = partsBegun(requests, id).length - partCount;
    return waste > allowed ? [`${id}: ${waste} parts were sent again; what was done allows ${allowed}`] : [];
  });
}

function isDeath({ kind }: Deed): boolean {
  return kind === 'kill-worker' || kind === 'kill-all-workers' || kind === 'stop-worker' || kind === 'freeze-worker';
}

export function partsBegun(requests: readonly SeenRequest[], uploadId: string): SeenRequest[] {
  return requests.filter(({ path }) => path.endsWith(`/uploads/${uploadId}/parts`));
}

function completionBegan({ requests }: Evidence): boolean {
  return requests.some(({ path }) => path.endsWith('/complete'));
}

function hit({ done }: Evidence, kind: string): boolean {
  return done.some(({ deed, hit: met }) => met && deed.kind === kind);
}

function struckStatus({ done }: Evidence, status: number): boolean {
  return done.some(({ deed, hit: met }) => met && deed.kind === 'api-fault' && deed.fault.status === status);
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
