import { printable } from '../../../core/text/printable.ts';

/** What one check of `longhaul doctor` found. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** No check takes longer. */
export const CHECK_LIMIT_MS = 5000;

export function ok(name: string, message: string): Check {
  return { name, status: 'ok', message };
}

export function warn(name: string, message: string, fix?: string): Check {
  return { name, status: 'warn', message, fix };
}

export function fail(name: string, message: string, fix?: string): Check {
  return { name, status: 'fail', message, fix };
}

/** Runs a check for a bounded time; whatever it throws is its finding. */
export async function checked(
  name: string,
  look: (signal: AbortSignal) => Promise<Check>,
  limitMs = CHECK_LIMIT_MS,
): Promise<Check> {
  const signal = AbortSignal.timeout(limitMs);
  const late = new Promise<Check>((resolve) => {
    signal.addEventListener('abort', () => resolve(fail(name, `no answer within ${limitMs / 1000} s`)), { once: true });
  });
  const found = look(signal).catch((error: unknown) => fail(name, messageOf(error)));
  return Promise.race([found, late]);
}

export function messageOf(error: unknown): string {
  // Temporal's client puts what the server said into the cause.
  const details = ((error as Error).cause as { details?: unknown } | undefined)?.details;
  return typeof details === 'string' && details !== '' ? details : (error as Error).message;
}

/** One line: what it is, how it is, and what to do. */
export function describeCheck({ name, status, message, fix }: Check): string {
  return printable(`${status.padEnd(4)}  ${name}: ${message}${fix === undefined ? '' : ` → ${fix}`}`);
}
