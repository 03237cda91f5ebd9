import { Limits } from '../contracts/limits.ts';
import type { SyncRequest, SyncUploadSettings } from '../contracts/sync.ts';
import { checks as uploadChecks, flag, problemsOf, text, wholeNumber, type Check } from './upload-request.ts';

const container: Check = (value) => {
  if (typeof value !== 'object' || value === null)
    return 'must be an object such as {"type":"folder","path":"/data/train"}';
  const { type, path, host, bucket } = value as Record<string, unknown>;
  if (type === 's3') return text(bucket) && 'needs "bucket", its name';
  if (type !== 'folder') return 'has an unknown "type"; known: "folder", "s3"';
  if (typeof path !== 'string' || !path.startsWith('/')) return 'needs "path", an absolute path as the worker sees it';
  if (host !== undefined && text(host)) return '"host" must be a non-empty string';
  return undefined;
};

const globs: Check = (value) =>
  Array.isArray(value) && value.every((glob) => text(glob) === undefined)
    ? undefined
    : 'must be a list of globs such as ["*.jsonl"]';

const prefix: Check = (value) => {
  if (typeof value !== 'string') return 'must be a string';
  return /[/\p{Cc}]/u.test(value) ? 'is put before names: neither slashes nor control characters' : undefined;
};

const { partSizeBytes, concurrency, maxSessions, giveUpAfterMs, md5, fileExpiresAfterSeconds } = uploadChecks;
const settings: Readonly<Record<keyof SyncUploadSettings, Check>> = {
  partSizeBytes,
  concurrency,
  maxSessions,
  giveUpAfterMs,
  md5,
  fileExpiresAfterSeconds,
};

const checks: Readonly<Record<keyof SyncRequest, Check>> = {
  source: container,
  purpose: text,
  destination: text,
  prefix,
  include: globs,
  exclude: globs,
  delete: flag,
  maxFiles: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  maxConcurrentUploads: wholeNumber(1, Limits.maxConcurrentUploads),
  dryRun: flag,
  upload: (value) => problemsOf(value, 'the settings of uploads', settings, []).join(', ') || undefined,
};

const required = ['source', 'purpose'] as const satisfies readonly (keyof SyncRequest)[];

/** Every problem of a request, in words; none for a good one. */
export function syncRequestProblems(request: unknown): string[] {
  return problemsOf(request, 'a sync request', checks, required);
}
