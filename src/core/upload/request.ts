import { Limits, TextLimits } from '../../contracts/limits.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { quoted } from '../text/clip.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../pace/rate-limit.ts';
import { containerProblem, sourceProblem } from '../source/problem.ts';
import { taskQueueProblem } from '../task-queue.ts';
import { flag, textUpTo, wholeNumber, type Check } from '../text/check.ts';
import { isPlainObject, Unreadable } from '../payload.ts';
import { ignoreInodeProblem } from './tuning.ts';

/** A name that somebody chose: of a purpose, of a destination, of a type. */
export const text = textUpTo(TextLimits.name);

const source: Check = (value) => sourceProblem(value);

/** Bytes per second. */
const rate = wholeNumber(MIN_LIMIT_BYTES_PER_SECOND, Number.MAX_SAFE_INTEGER);

const limitBytesPerSecond: Check = (value) =>
  value === 0 || rate(value) === undefined
    ? undefined
    : `must be 0, or a whole number from ${MIN_LIMIT_BYTES_PER_SECOND}`;

const sharedLimit: Check = (value) => {
  const known = { key: textUpTo(TextLimits.taskQueue), bytesPerSecond: rate };
  const isGood = problemsOf(value, 'a shared limit', known, ['key', 'bytesPerSecond']).length === 0;
  return isGood ? undefined : `must have "key", a text, and "bytesPerSecond", at least ${MIN_LIMIT_BYTES_PER_SECOND}`;
};

const filename: Check = (value) => {
  const problem = textUpTo(TextLimits.filename)(value);
  if (problem !== undefined) return problem;
  if (/[\0\r\n]/.test(value as string)) return 'must have no line break in it; give another name (filename)';
  return (value as string).includes('/') ? 'must be a name, not a path' : undefined;
};

const fairnessWeight: Check = (value) => {
  const { minFairnessWeight: least, maxFairnessWeight: most } = Limits;
  return typeof value === 'number' && value >= least && value <= most
    ? undefined
    : `must be a number from ${least} to ${most}`;
};

/** `expires_after.seconds` is 3600 to 2592000 in the API's specification. */
export const checks: Readonly<Record<keyof UploadRequest, Check>> = {
  source,
  within: containerProblem,
  purpose: text,
  filename,
  mimeType: text,
  destination: text,
  partSizeBytes: wholeNumber(Limits.minPartSizeBytes, Limits.maxPartSizeBytes),
  concurrency: wholeNumber(1, Limits.maxConcurrency),
  limitBytesPerSecond,
  sharedLimit,
  maxSessions: wholeNumber(1, 10),
  giveUpAfterMs: wholeNumber(0, 365 * 86_400_000),
  md5: flag,
  ignoreInode: flag,
  expectedFingerprint: textUpTo(TextLimits.fingerprint),
  fileExpiresAfterSeconds: wholeNumber(3600, 2_592_000),
  transferTaskQueue: taskQueueProblem,
  heartbeatTimeoutMs: wholeNumber(1000, 600_000),
  priority: wholeNumber(1, Limits.lastPriority),
  fairnessKey: textUpTo(Limits.maxFairnessKeyBytes),
  fairnessWeight,
};

const required = ['source', 'purpose'] as const satisfies readonly (keyof UploadRequest)[];

/** Every problem of a request, in words; none for a good one. Unknown properties are problems: they are mostly typos. */
export function uploadRequestProblems(request: unknown): string[] {
  const problems = problemsOf(request, 'an upload request', checks, required);
  return problems.length > 0 ? problems : [ignoreInodeProblem(request as UploadRequest) ?? []].flat();
}

/** Problems that are listed; a request may have a hundred thousand unknown properties. */
const MAX_PROBLEMS = 20;

/** Every problem of an object whose properties are `known`. */
export function problemsOf(
  value: unknown,
  what: string,
  known: Readonly<Record<string, Check>>,
  needed: readonly string[],
): string[] {
  if (value instanceof Unreadable) return [`${what} must be plain JSON, and its encoding is ${quoted(value.encoding)}`];
  if (!isPlainObject(value)) return [`${what} must be an object`];
  const given = Object.entries(value).filter(([, content]) => content !== undefined);
  const missing = needed.filter((name) => !given.some(([key]) => key === name)).map((name) => `"${name}" is missing`);
  const wrong = given.flatMap(([key, content]) => {
    const check = Object.hasOwn(known, key) ? known[key] : undefined;
    if (!check) return [`${quoted(key)} is not a property of ${what}`];
    const problem = check(content);
    return problem ? [`"${key}" ${problem}`] : [];
  });
  const problems = [...missing, ...wrong];
  const more = problems.length - MAX_PROBLEMS;
  return more > 0 ? [...problems.slice(0, MAX_PROBLEMS), `${more} more problems`] : problems;
}
