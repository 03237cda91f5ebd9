import { printable } from '../../../core/text/printable.ts';

/** The result of one check of `longhaul doctor`. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** An imperative phrase, without a period. */
  readonly fix?: string;
}

/** Timeout of a check. */
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

/** Runs a check with a timeout. An error of the check is its result. */
export async function checked(
  name: string,
  look: (signal: AbortSignal) => Promise<Check>,
  limitMs = CHECK_LIMIT_MS,
): Promise<Check> {
  const signal = AbortSignal.timeout(limitMs);
  const late = new Promise<Check>((resolve) => {
    signal.addEventListener('abort', () => resolve(fail(name, `no response within ${limitMs / 1000} s`)), {
      once: true,
    });
  });
  const found = look(signal).catch((error: unknown) => fail(name, messageOf(error)));
  return Promise.race([found, late]);
}

export function messageOf(error: unknown): string {
  // Temporal's client puts the server's message into the cause.
  const details = ((error as Error).cause as { details?: unknown } | undefined)?.details;
  return typeof details === 'string' && details !== '' ? details : (error as Error).message;
}

export function describeCheck({ name, status, message, fix }: Check): string {
  return printable(`${status.padEnd(4)}  ${name}: ${message}${fix === undefined ? '' : ` → ${fix}`}`);
}
