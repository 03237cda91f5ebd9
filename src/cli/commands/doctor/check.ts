import { once } from 'node:events';
import { printable } from '../../../core/text/printable.ts';

/** The result of a check. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** An imperative phrase, without a period. */
  readonly fix?: string;
}

/** One check of `longhaul doctor` or `longhaul verify`. */
export interface Check extends Finding {
  readonly name: string;
}

/** Timeout of a check. */
export const CHECK_LIMIT_MS = 5000;

export function ok(message: string): Finding {
  return { status: 'ok', message };
}

export function warn(message: string, fix?: string): Finding {
  return { status: 'warn', message, fix };
}

export function fail(message: string, fix?: string): Finding {
  return { status: 'fail', message, fix };
}

/** Runs a check with a timeout. An error of the check is its result. */
export async function checked(
  name: string,
  look: (signal: AbortSignal) => Promise<Finding>,
  limitMs = CHECK_LIMIT_MS,
): Promise<Check> {
  const signal = AbortSignal.timeout(limitMs);
  const late = once(signal, 'abort').then(() => fail(`no response within ${limitMs / 1000} s`));
  const found = look(signal).catch((error: unknown) => fail(messageOf(error)));
  return { name, ...(await Promise.race([found, late])) };
}

export function messageOf(error: unknown): string {
  // Temporal's client puts the server's message into the cause.
  const details = ((error as Error).cause as { details?: unknown } | undefined)?.details;
  return typeof details === 'string' && details !== '' ? details : (error as Error).message;
}

export function describeCheck({ name, status, message, fix }: Check): string {
  return printable(`${status.padEnd(4)}  ${name}: ${message}${fix === undefined ? '' : ` → ${fix}`}`);
}
