import { Limits, PayloadLimits, TextLimits } from '../../contracts/limits.ts';
import type { SyncRequest, SyncUploadSettings } from '../../contracts/sync.ts';
import { jsonBytes } from '../payload.ts';
import { containerProblem } from '../source/problem.ts';
import { anyTextUpTo, flag, wholeNumber, type Check } from '../text/check.ts';
import { checks as uploadChecks, problemsOf, text } from '../upload/request.ts';
import { ignoreInodeProblem } from '../upload/tuning.ts';

/** Ten years. */
const MAX_AGE_MS = 3652 * 86_400_000;

const globs: Check = (value) => {
  if (!Array.isArray(value) || !value.every((glob) => typeof glob === 'string' && glob !== '')) {
    return 'must be a list of globs such as ["*.jsonl"]';
  }
  return anyTextUpTo(TextLimits.globs)(value.join('\n'));
};

const prefix: Check = (value) => {
  const problem = anyTextUpTo(TextLimits.name)(value);
  if (problem !== undefined) return problem;
  return /[/\p{Cc}]/u.test(value as string) ? 'is put before names: neither slashes nor control characters' : undefined;
};

const uploadSettings: Readonly<Record<keyof SyncUploadSettings, Check>> = {
  partSizeBytes: uploadChecks.partSizeBytes,
  concurrency: uploadChecks.concurrency,
  maxSessions: uploadChecks.maxSessions,
  giveUpAfterMs: uploadChecks.giveUpAfterMs,
  md5: uploadChecks.md5,
  ignoreInode: uploadChecks.ignoreInode,
  mimeType: uploadChecks.mimeType,
  fileExpiresAfterSeconds: uploadChecks.fileExpiresAfterSeconds,
  priority: uploadChecks.priority,
  fairnessKey: uploadChecks.fairnessKey,
  fairnessWeight: uploadChecks.fairnessWeight,
};

const syncChecks: Readonly<Record<keyof SyncRequest, Check>> = {
  source: containerProblem,
  purpose: text,
  destination: text,
  prefix,
  include: globs,
  exclude: globs,
  minAgeMs: wholeNumber(0, MAX_AGE_MS),
  delete: flag,
  maxFiles: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  maxConcurrentUploads: wholeNumber(1, Limits.maxConcurrentUploads),
  limitBytesPerSecond: uploadChecks.limitBytesPerSecond,
  dryRun: flag,
  upload: (value) => problemsOf(value, 'the settings of uploads', uploadSettings, []).join(', ') || undefined,
};

const required = ['source', 'purpose'] as const satisfies readonly (keyof SyncRequest)[];

/** Every problem of a request, in words; none for a good one. */
export function syncRequestProblems(request: unknown): string[] {
  const problems = problemsOf(request, 'a sync request', syncChecks, required);
  if (problems.length > 0) return problems;
  if (jsonBytes(request) > PayloadLimits.request) {
    return [`a sync request must have at most ${PayloadLimits.request} bytes as JSON: use fewer or shorter globs`];
  }
  const { source, upload } = request as SyncRequest;
  return [ignoreInodeProblem({ ...upload, source }) ?? []].flat();
}
