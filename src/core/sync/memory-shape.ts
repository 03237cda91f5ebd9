import { PayloadLimits } from '../../contracts/limits.ts';
import type { SyncMemory } from '../../contracts/sync.ts';
import { jsonBytes } from '../payload.ts';

/** Of Base64. */
export const MAX_MEMORY_CHARACTERS = PayloadLimits.memory;

/** A memory that is safe to pass on: of bounded size, and without unknown properties. */
export interface CheckedMemory {
  readonly memory: SyncMemory | null;
  /** Why the value was replaced by null; undefined if it is a memory, or no memory exists. */
  readonly problem?: string;
}

/** Checks the outside of a memory, which any caller of Temporal can pass. Its rows are checked by the worker. */
export function checkMemory(value: unknown): CheckedMemory {
  if (value === null || value === undefined) return { memory: null };
  if (typeof value !== 'object') return { memory: null, problem: 'it is not an object' };
  const { format, entries, dropped, data } = value as Readonly<Record<string, unknown>>;
  if (format !== 'gzip-rows-1') return { memory: null, problem: 'its format is unknown' };
  if (typeof data !== 'string') return { memory: null, problem: 'it has no data' };
  if (data.length > MAX_MEMORY_CHARACTERS) {
    const sizes = `${data.length} characters, limit ${MAX_MEMORY_CHARACTERS}`;
    return { memory: null, problem: `it is too large (${sizes})` };
  }
  // Base64 has one byte for each character, and no escapes.
  if (jsonBytes(data) > MAX_MEMORY_CHARACTERS + 2) return { memory: null, problem: 'its data is damaged' };
  return { memory: { format, entries: countOf(entries), dropped: countOf(dropped), data } };
}

/**
 * The memory in the result of a run, which any caller of Temporal can complete. An invalid memory is replaced by a
 * stand-in of a few bytes, so that the sync reports it.
 */
export function memoryOfResult(result: unknown): SyncMemory | null {
  const { memory: value } = (result ?? {}) as { readonly memory?: unknown };
  const { memory, problem } = checkMemory(value);
  return problem === undefined ? memory : UNREADABLE_MEMORY;
}

/** Has no data, so that `unpackMemory` rejects it. */
export const UNREADABLE_MEMORY: SyncMemory = { format: 'gzip-rows-1', entries: 0, dropped: 0, data: '' };

/** Describes for the operator why a memory was ignored, and the effect. */
export function memoryProblemOf(problem: string): string {
  return `the memory of the last run cannot be read: ${problem}. This run compares files by name, size and time, and deletes nothing`;
}

function countOf(value: unknown): number {
  return Number.isSafeInteger(value) ? Math.max(0, value as number) : 0;
}
