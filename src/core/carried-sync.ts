import type { CarriedSync, SyncCounts } from '../contracts/sync.ts';

type Fields = Readonly<Record<string, unknown>>;
type Kind = (value: unknown) => boolean;

const MAX_TEXT_CHARACTERS = 1000;

const isNumber: Kind = (value) => typeof value === 'number' && Number.isFinite(value);
const isText: Kind = (value) => typeof value === 'string';
const isFlag: Kind = (value) => typeof value === 'boolean';
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const allOf = (kinds: Readonly<Record<string, Kind>>): Kind => {
  const checks = Object.entries(kinds);
  return (value) => isObject(value) && checks.every(([name, kind]) => kind(value[name]));
};
const optional =
  (kind: Kind): Kind =>
  (value) =>
    value === undefined || kind(value);

const amount = allOf({ files: isNumber, bytes: isNumber });
const counts: Readonly<Record<keyof SyncCounts, Kind>> = {
  listed: amount,
  same: isNumber,
  knownContent: isNumber,
  toSend: amount,
  sent: amount,
  failed: isNumber,
  leftOut: isNumber,
  toDelete: isNumber,
  deleted: isNumber,
};
const problem = allOf({ path: isText, failureType: isText, message: isText });
const problems: Kind = (value) => Array.isArray(value) && value.every(problem);

const fields: Readonly<Record<keyof CarriedSync, Kind>> = {
  planId: isText,
  sentUpTo: (value) => value === null || isText(value),
  uploadsDone: isFlag,
  counts: allOf(counts),
  problems,
  leftOut: problems,
  uploadsFailed: isNumber,
  paused: isFlag,
  startedAtMs: isNumber,
  memoryProblem: optional((value) => isText(value) && (value as string).length <= MAX_TEXT_CHARACTERS),
};

/** Names the invalid properties of the state that a sync passes to its next execution; a caller can pass any value. */
export function carriedSyncProblems(run: unknown): string[] {
  if (!isObject(run)) return ['"run" must be an object'];
  return Object.entries(fields).flatMap(([name, kind]) => (kind(run[name]) ? [] : [`"run.${name}" is invalid`]));
}
