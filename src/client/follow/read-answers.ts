import * as z from 'zod';
import type { PieceProgress } from '../../contracts/split.ts';
import { clip } from '../../core/text/clip.ts';
import { ENCRYPTED_ENCODING, Unreadable } from '../../core/payload.ts';
import { JobEncryptedError, StrangeWorkflowError } from '../errors.ts';
import type { JobProgress, JobResult } from '../jobs.ts';

/*
 * Parses responses of workflows. A workflow can be that of another program or version. If the kind of a response is
 * recognised, invalid values are replaced by a value that means "unknown". Properties that this version does not have are
 * kept.
 */

const MAX_TEXT = 4096;
/** Range of a `Date`. */
const MAX_TIME_MS = 8.64e15;

const rawText = z.string().transform((text) => clip(text, MAX_TEXT));
const text = rawText.catch('');
const name = z.string().min(1).max(MAX_TEXT);
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER).catch(0);
const flag = z.boolean().catch(false);
const timeMs = z.number().min(0).max(MAX_TIME_MS).catch(0);
const seconds = z
  .number()
  .min(0)
  .max(MAX_TIME_MS / 1000);
const state = z.string().regex(/^[a-z-]{1,32}$/);

const waiting = z
  .looseObject({
    reason: rawText,
    failureType: text,
    sinceMs: timeMs,
    retryAtMs: z.number().min(0).max(MAX_TIME_MS).optional().catch(undefined),
    nextProbeAtMs: timeMs,
  })
  .nullable()
  .catch(null);
const session = z.looseObject({ uploadId: name, createdAt: seconds, expiresAt: seconds }).nullable().catch(null);
const limit = z
  .looseObject({ bytesPerSecond: z.number().int().min(0), revision: z.number().int().min(0) })
  .nullable()
  .catch(null);

const head = {
  state,
  filename: text,
  bytesTotal: count,
  bytesDone: count,
  partsInFlight: count,
  waiting,
  startedAtMs: timeMs,
};

const uploadProgress = z.looseObject({
  kind: z.literal('upload').catch('upload'),
  ...head,
  partSizeBytes: count,
  partsTotal: count,
  partsDone: count,
  concurrency: count,
  limit,
  session,
  sessionEndsTooEarly: flag,
  splitSizeBytes: z.number().int().min(1).optional().catch(undefined),
  sessionsOpened: count,
  orphanedSessions: count,
  md5: rawText.nullable().catch(null),
});

const piece = z.looseObject({
  number: count,
  filename: text,
  workflowId: name,
  range: z.looseObject({ offsetBytes: count, sizeBytes: count }),
  state,
  fileId: rawText.optional(),
  failureType: rawText.optional(),
  message: rawText.optional(),
});

const amount = z.looseObject({ files: count, bytes: count }).catch({ files: 0, bytes: 0 });
const counts = z.looseObject({
  listed: amount,
  same: count,
  knownContent: count,
  toSend: amount,
  sent: amount,
  failed: count,
  leftOut: count,
  postponed: count.optional(),
  toDelete: count,
  deleted: count,
});

const syncProgress = z.looseObject({
  kind: z.literal('sync').catch('sync'),
  ...head,
  counts,
  uploading: z.array(text).catch([]),
});

const file = z.looseObject({ id: name, bytes: count, createdAt: count, filename: text, purpose: text });
const receiptFacts = z.looseObject({
  destination: text,
  source: z.looseObject({ type: text }),
  fingerprint: text,
  partIds: z.array(name),
  startedAtMs: timeMs,
  completedAtMs: timeMs,
});

const uploadResult = z.looseObject({
  workflowId: text,
  uploadId: text,
  file,
  bytes: count,
  md5: rawText.nullable().catch(null),
  parts: count,
  partSizeBytes: z.number().int().min(1).optional().catch(undefined),
  partsSent: count,
  sessions: count,
  orphanedSessions: count,
  durationMs: count,
  receipt: receiptFacts.optional().catch(undefined),
});
const splitResult = z.looseObject({
  workflowId: text,
  files: z.array(file),
  pieces: z.array(uploadResult),
  bytes: count,
  durationMs: count,
});

const problems = z.array(z.looseObject({ path: text, failureType: text, message: text })).catch([]);
const decisions = z.array(
  z.looseObject({ action: text, why: text, path: text, filename: text, bytes: count, fileId: rawText.optional() }),
);
const unmatchedGlobs = z
  .array(z.looseObject({ list: text, glob: text }))
  .optional()
  .catch([]);
const syncResult = z.looseObject({
  workflowId: text,
  dryRun: flag,
  counts,
  problems,
  leftOut: problems,
  postponed: problems.optional(),
  unmatchedGlobs,
  deletionsHeld: rawText.nullable().catch(null),
  durationMs: count,
});

/** Parses the response of a workflow. @throws JobEncryptedError, StrangeWorkflowError if it does not have the expected form */
export type ReadAnswer<Answer> = (answer: unknown, workflowId: string) => Answer;

export const readUploadProgress: ReadAnswer<JobProgress<'upload' | 'split'>> = (answer, workflowId) => {
  const progress = read(uploadProgress, answer, workflowId);
  if (!('pieces' in progress)) return progress as unknown as JobProgress<'upload'>;
  const pieces = readPieces(progress.pieces) ?? [];
  return { ...progress, kind: 'split', pieces } as unknown as JobProgress<'split'>;
};

export const readProgress: ReadAnswer<JobProgress> = (answer, workflowId) =>
  has(answer, 'counts') || (answer as { kind?: unknown } | null)?.kind === 'sync'
    ? (read(syncProgress, answer, workflowId) as unknown as JobProgress<'sync'>)
    : readUploadProgress(answer, workflowId);

/** Parses a list of pieces; undefined for another value. */
export function readPieces(value: unknown): readonly PieceProgress[] | undefined {
  const pieces = z.array(piece).safeParse(value);
  return pieces.success ? (pieces.data as unknown as readonly PieceProgress[]) : undefined;
}

export const readResult: ReadAnswer<JobResult> = (answer, workflowId) => {
  if (!has(answer, 'counts')) {
    return read<unknown>(has(answer, 'files') ? splitResult : uploadResult, answer, workflowId) as JobResult;
  }
  const { decisions: found, ...result } = read(syncResult, answer, workflowId);
  if (found === undefined) return result as unknown as JobResult;
  const decided = decisions.safeParse(found);
  return { ...result, decisions: decided.success ? decided.data : [] } as unknown as JobResult;
};

function has(answer: unknown, property: string): boolean {
  return typeof answer === 'object' && answer !== null && property in answer;
}

function read<Answer>(schema: z.ZodType<Answer>, answer: unknown, workflowId: string): Answer {
  const found = schema.safeParse(answer);
  if (found.success) return found.data;
  const isEncrypted = answer instanceof Unreadable && answer.encoding === ENCRYPTED_ENCODING;
  throw isEncrypted ? new JobEncryptedError(workflowId) : new StrangeWorkflowError(workflowId);
}
