import { TextLimits } from '../contracts/limits.ts';
import { textUpTo } from './text/check.ts';

/**
 * The problem of the name of a task queue, as the rest of a sentence. If a command of a workflow has an invalid name,
 * Temporal rejects it again and again, so that the workflow makes no progress.
 */
export function taskQueueProblem(value: unknown): string | undefined {
  const problem = textUpTo(TextLimits.taskQueue)(value);
  if (problem !== undefined) return problem;
  if (/^(\/_sys\/|__temporal_)/.test(value as string)) return 'must not start with a prefix that Temporal reserves';
  return /\p{Cc}/u.test(value as string) ? 'must not contain control characters' : undefined;
}

/** A queue's name also contains that of the control queue, and some clusters permit 255 bytes. */
const MAX_BYTES = 200;

/** The problem of a name of a host, as the rest of a sentence. It becomes part of the name of a task queue. */
export function hostNameProblem(value: unknown): string | undefined {
  const problem = textUpTo(MAX_BYTES)(value);
  if (problem !== undefined) return problem;
  if (!/[\s\p{C}"'`\\/]/u.test(value as string)) return undefined;
  return 'must not contain spaces, quotes, slashes or control characters, for example transfer-1';
}
