import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { SyncChanges } from '../../src/contracts/plan-sync.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import type { SyncAmount, SyncProblem } from '../../src/contracts/sync.ts';
import { comparePaths } from '../../src/core/sync/listed-source.ts';
import { reported, type SyncLists, type SyncWork } from './lists.ts';

/** Limit for parsing, because any caller of Temporal can write the text. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

/** Path and size, in the order of the paths. */
type Row = readonly [path: string, sizeBytes: number];

interface Planned {
  readonly rows: readonly Row[];
  /** Uploads after the last row. */
  readonly omitted: number;
}

/**
 * Packs the uploads of lists. Lists that are created again, on another worker or after a pause, are compared with them.
 * Otherwise, a file that is missing later would not be sent or reported.
 *
 * @returns the first uploads that fit, about 15,000; undefined if there are none
 */
export async function packPlanned(
  work: readonly SyncWork[],
  maxCharacters: number = PayloadLimits.planned,
): Promise<string | undefined> {
  const all = work.flatMap((one): Row[] => ('upload' in one ? [[one.path, one.upload.sizeBytes]] : []));
  for (let rows = all; rows.length > 0;) {
    const planned: Planned = { rows, omitted: all.length - rows.length };
    const packed = (await promisify(gzip)(JSON.stringify(planned))).toString('base64');
    if (packed.length <= maxCharacters) return packed;
    rows = rows.slice(0, Math.floor((rows.length * 0.97 * maxCharacters) / packed.length));
  }
  return undefined;
}

/**
 * Compares new lists with the uploads that were planned before, for the paths after `after`.
 *
 * @param packed a text that cannot be parsed counts as no plan
 * @returns undefined if nothing has changed
 */
export async function changesOf(
  packed: string,
  after: string | null,
  { decisions, undecided, work, isListed }: Pick<SyncLists, 'decisions' | 'undecided' | 'work' | 'isListed'>,
): Promise<SyncChanges | undefined> {
  const planned = await unpack(packed);
  if (!planned) return undefined;
  const isAfter = (path: string) => after === null || comparePaths(path, after) > 0;
  const before = new Map(planned.rows.filter(([path]) => isAfter(path)));
  const lastPath = planned.rows.at(-1)?.[0] ?? '';
  const reasons = new Map(decisions.map(({ path, why }) => [path, why]));
  const reports = new Map(kinds.flatMap((kind) => undecided[kind].map((problem) => [problem.path, { kind, problem }])));
  const found: Record<(typeof kinds)[number], SyncProblem[]> = { problems: [], leftOut: [], postponed: [] };
  const skipped = { same: 0, 'known-content': 0 };
  let added: SyncAmount = { files: 0, bytes: 0 };
  let dropped = added;
  for (const [path, sizeBytes] of before) {
    const why = reasons.get(path) ?? (isListed(path) && !reports.has(path) ? 'same' : undefined);
    if (why === 'new' || why === 'changed') continue;
    if (why !== 'same' && why !== 'known-content') {
      const { kind, problem } = reports.get(path) ?? { kind: 'problems' as const, problem: missing(path) };
      found[kind].push(problem);
    } else {
      skipped[why]++;
      dropped = plus(dropped, sizeBytes);
    }
  }
  for (const one of work) {
    if (!('upload' in one) || !isAfter(one.path) || before.has(one.path)) continue;
    const canBeOmitted = planned.omitted > 0 && comparePaths(one.path, lastPath) > 0;
    if (!canBeOmitted) added = plus(added, one.upload.sizeBytes);
  }
  const counts = [added.files, dropped.files, ...kinds.map((kind) => found[kind].length)];
  if (counts.every((count) => count === 0)) return undefined;
  return {
    same: skipped.same,
    knownContent: skipped['known-content'],
    added,
    dropped,
    problems: reported(found.problems),
    problemCount: found.problems.length,
    leftOut: reported(found.leftOut),
    leftOutCount: found.leftOut.length,
    postponed: reported(found.postponed),
    postponedCount: found.postponed.length,
  };
}

const kinds = ['problems', 'leftOut', 'postponed'] as const;

async function unpack(packed: string): Promise<Planned | undefined> {
  try {
    const json = await promisify(gunzip)(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES });
    const { rows, omitted } = JSON.parse(json.toString()) as Partial<Planned>;
    const isRow = (row: unknown) => Array.isArray(row) && typeof row[0] === 'string' && Number.isSafeInteger(row[1]);
    return Array.isArray(rows) && rows.every(isRow) ? { rows, omitted: omitted ?? 0 } : undefined;
  } catch {
    return undefined;
  }
}

function plus({ files, bytes }: SyncAmount, sizeBytes: number): SyncAmount {
  return { files: files + 1, bytes: bytes + sizeBytes };
}

function missing(path: string): SyncProblem {
  const message = 'missing in a later list of this run: it was deleted or renamed, or its folder cannot be read';
  return { path, failureType: FailureType.SourceMissing, message };
}
