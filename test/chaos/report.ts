import type { SeenRequest } from '../support/chaos-proxy.ts';
import type { Done } from './actions.ts';
import type { Evidence } from './oracle.ts';
import { rowOf } from './plan.ts';
import type { Outcome } from './run.ts';

interface Row {
  drawn: number;
  hit: number;
  survived: number;
  file: number;
  failure: number;
  cancelled: number;
  readonly recoveriesMs: number[];
  bytesAgain: number;
}

/** What came of the runs, by what was done to them. */
export class Report {
  readonly #rows = new Map<string, Row>();
  #runs = 0;
  #held = 0;

  add(outcome: Outcome): void {
    const { evidence, problems } = outcome;
    this.#runs++;
    if (problems.length === 0) this.#held++;
    // An action whose time never came was still drawn.
    const missed = evidence.plan.deeds.length - evidence.done.length;
    if (evidence.done.length === 0 && missed <= 0) this.#count('(nothing)', outcome, undefined);
    this.#count(`(source: ${evidence.plan.source})`, outcome, undefined);
    if (evidence.plan.slots === null) this.#count('(workers that adapt)', outcome, undefined);
    for (const entry of evidence.done) this.#count(rowOf(entry.deed), outcome, entry);
    for (const { deed } of evidence.plan.deeds) {
      if (!evidence.done.some((entry) => entry.deed === deed)) this.#row(rowOf(deed)).drawn++;
    }
    for (const [row, bytes] of bytesSentAgain(outcome)) this.#row(row).bytesAgain += bytes;
  }

  /** A run that the suite could not complete, which does not count as a success. */
  addBroken(): void {
    this.#runs++;
  }

  get heldAll(): boolean {
    return this.#held === this.#runs;
  }

  toString(): string {
    const header = [
      'fault',
      'drawn',
      'hit',
      'survived',
      'File',
      'typed failure',
      'cancelled',
      'p50 ms',
      'p99 ms',
      'MiB again',
    ];
    const lines = [...this.#rows]
      .toSorted(([one], [other]) => one.localeCompare(other))
      .map(([name, row]) => {
        const sorted = row.recoveriesMs.toSorted((a, b) => a - b);
        const counts = [row.drawn, row.hit, row.survived, row.file, row.failure, row.cancelled].map(String);
        const MiB = (row.bytesAgain / 1024 ** 2).toFixed(1);
        return [name, ...counts, percentile(sorted, 0.5), percentile(sorted, 0.99), MiB];
      });
    const table = [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
    return [...table, '', `${this.#held} of ${this.#runs} runs held`].join('\n');
  }

  #row(name: string): Row {
    const fresh = { drawn: 0, hit: 0, survived: 0, file: 0, failure: 0, cancelled: 0, recoveriesMs: [], bytesAgain: 0 };
    const row = this.#rows.get(name) ?? fresh;
    this.#rows.set(name, row);
    return row;
  }

  #count(name: string, { evidence, problems }: Outcome, entry: Done | undefined): void {
    const row = this.#row(name);
    row.drawn++;
    if (entry && !entry.hit) return;
    row.hit++;
    if (problems.length === 0) row.survived++;
    if (evidence.status === 'COMPLETED') row.file++;
    if (evidence.status === 'FAILED') row.failure++;
    if (evidence.status === 'CANCELLED') row.cancelled++;
    const recoveredMs = entry && recovery(entry, { evidence });
    if (recoveredMs !== undefined) row.recoveriesMs.push(recoveredMs);
  }
}

/** Time from the action to the next response to a part, or to the end without further parts. */
function recovery({ atMs }: Done, { evidence }: Pick<Outcome, 'evidence'>): number | undefined {
  const stored = evidence.requests
    .filter(({ path, status, endedAtMs }) => path.endsWith('/parts') && status === 200 && (endedAtMs ?? 0) > atMs)
    .map(({ endedAtMs }) => endedAtMs as number);
  if (stored.length > 0) return Math.min(...stored) - atMs;
  return evidence.status === 'COMPLETED' ? Math.max(0, evidence.closedAtMs - atMs) : undefined;
}

/** Wasted bytes of requests of parts, by the last action before each. */
function bytesSentAgain({ evidence }: Outcome): Map<string, number> {
  const again = new Map<string, number>();
  if (evidence.status !== 'COMPLETED') return again;
  const completed = evidence.uploads.find(({ status }) => status === 'completed')?.id ?? '';
  const hits = evidence.done.filter(({ hit }) => hit).toSorted((a, b) => a.atMs - b.atMs);
  for (const request of evidence.requests) {
    const { path, status, bytes } = request;
    if (!path.endsWith('/parts') || (status === 200 && path.includes(completed))) continue;
    // A received part is wasted if the session is lost, because a new session is opened.
    const inVainAtMs = status === 200 ? nextSessionAtMs(evidence, request) : (request.endedAtMs ?? Infinity);
    const last = hits.findLast(({ atMs }) => atMs <= inVainAtMs);
    const row = last ? rowOf(last.deed) : '(nothing)';
    again.set(row, (again.get(row) ?? 0) + bytes);
  }
  return again;
}

function nextSessionAtMs({ requests }: Evidence, { startedAtMs }: SeenRequest): number {
  const created = requests.filter((other) => other.path.endsWith('/uploads') && other.startedAtMs > startedAtMs);
  return Math.min(...created.map((other) => other.startedAtMs));
}

function percentile(sorted: readonly number[], part: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return value === undefined ? '' : String(Math.round(value));
}
