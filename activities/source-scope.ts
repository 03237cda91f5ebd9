import { ApplicationFailure } from '@temporalio/common';
import type { Container } from '../src/contracts/sources.ts';
import { SourceMissingError, SourceReadError } from '../src/errors.ts';
import type { Sources } from '../src/sources/sources.ts';
import { failureWith, toApplicationFailure, type AttemptFacts } from './failures.ts';

/** Attempts to read one file of many: its error can be temporary, but the file must not occupy a slot for long. */
const QUICK_ATTEMPTS = 3;

/** The folder or bucket of a source. */
export interface OneOfMany {
  readonly within?: Container | undefined;
  /** Whether no part of the file was sent, so that it fails after a few attempts. @defaultValue false */
  readonly failsQuickly?: boolean | undefined;
}

/**
 * Decides whether a read error concerns this file or its whole folder or bucket, which is the case if that cannot be read
 * either. Returns any other error unchanged.
 */
export async function scopedSourceError(
  error: unknown,
  { within, failsQuickly = false }: OneOfMany,
  facts: AttemptFacts,
  { sources, signal }: { readonly sources: Sources; readonly signal: AbortSignal },
): Promise<unknown> {
  if (!within || signal.aborted || !isOfSource(error)) return error;
  const problem = await wholeSourceProblem(sources, within, signal);
  if (problem) return toApplicationFailure(problem, { ...facts, sourceScope: 'container' });
  const failure = toApplicationFailure(error, { ...facts, sourceScope: 'file' });
  const isOverload = error instanceof SourceReadError && error.isOverload;
  const isLast = failsQuickly && !isOverload && facts.attempt >= QUICK_ATTEMPTS;
  return isLast && failure instanceof ApplicationFailure
    ? failureWith(failure, { nonRetryable: true, nextRetryDelay: undefined })
    : failure;
}

/** Returns the reason for which a folder or bucket cannot be read; undefined if it can be read, or this is unknown. */
export async function wholeSourceProblem(
  sources: Sources,
  container: Container,
  signal: AbortSignal,
): Promise<Error | undefined> {
  try {
    await sources.check(container, { signal });
    return undefined;
  } catch (error) {
    return isOfSource(error) ? error : undefined;
  }
}

/** Whether a read error can concern one file or all. */
export function isOfSource(error: unknown): error is SourceMissingError | SourceReadError {
  return error instanceof SourceMissingError || error instanceof SourceReadError;
}
