import type { HashCheckpoint, HashSourceResult } from '../../contracts/activities.ts';
import type { FileSource } from '../../contracts/sources.ts';
import {
  LonghaulError,
  SourceChangedError,
  SourceForbiddenError,
  SourceMissingError,
  SourceNotNamedError,
  SourceReadError,
  SourceUnusableError,
} from '../../errors.ts';
import type { FileSettings } from '../source-settings.ts';

/** What the md5 thread is started with. */
export interface Md5Task {
  readonly source: FileSource;
  readonly files?: FileSettings | undefined;
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly resumeFrom?: HashCheckpoint | undefined;
  /** Time between two checkpoints that are posted. */
  readonly checkpointEveryMs: number;
}

/** The one message that the thread takes: stop where you are and post `stopped`. */
export const STOP = 'stop';

export type Md5Message =
  | { readonly type: 'checkpoint'; readonly checkpoint: HashCheckpoint }
  | { readonly type: 'stopped'; readonly checkpoint: HashCheckpoint }
  | { readonly type: 'done'; readonly result: Extract<HashSourceResult, { readonly md5: string }> }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string };

type ErrorClass = new (message: string, options?: { cause?: unknown }) => LonghaulError;

/** Classes don't survive the way between threads, codes do. */
const byCode: Readonly<Record<string, ErrorClass>> = {
  SOURCE_CHANGED: SourceChangedError,
  SOURCE_FORBIDDEN: SourceForbiddenError,
  SOURCE_MISSING: SourceMissingError,
  SOURCE_NOT_NAMED: SourceNotNamedError,
  SOURCE_READ_FAILED: SourceReadError,
  SOURCE_UNUSABLE: SourceUnusableError,
};

export function toFailedMessage(error: unknown): Md5Message {
  const code = error instanceof LonghaulError ? error.code : undefined;
  return { type: 'failed', code, message: error instanceof Error ? error.message : String(error) };
}

export function toError({ code, message }: Extract<Md5Message, { type: 'failed' }>): Error {
  const ErrorOfCode = code === undefined ? undefined : byCode[code];
  return ErrorOfCode ? new ErrorOfCode(message) : new Error(`the md5 thread failed: ${message}`);
}
