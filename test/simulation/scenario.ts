import { expect } from 'vitest';
import type { UploadProgress } from '../../src/contracts/upload.ts';
import { valueOf } from './payloads.ts';
import { CALM, type Action, type Call, type Plan, type PlannedAction, type When } from './plan.ts';
import type { Progress } from './rules.ts';
import { simulate, type Outcome } from './simulate.ts';

export const MiB = 1024 * 1024;
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export interface Seen<P> extends Outcome {
  /** After each activation of the workflow. */
  readonly progress: readonly (P & { readonly atMs: number })[];
  readonly result: unknown;
  readonly failure: { readonly type: string | undefined; readonly message: string; readonly details: unknown };
  /** Of all sessions, in the order in which they were opened. */
  readonly statuses: readonly string[];
}

/** Runs a plan that keeps every rule. */
export async function run<P extends Progress = UploadProgress>(plan: Partial<Plan>): Promise<Seen<P>> {
  const progress: (P & { atMs: number })[] = [];
  const outcome = await simulate({ ...CALM, ...plan }, (seen, nowMs) => progress.push({ ...(seen as P), atMs: nowMs }));
  const { violations, trace, close, service } = outcome;
  expect(violations, trace.join('\n')).toEqual([]);
  const failed = close?.status === 'failed' ? close.failure : undefined;
  return {
    ...outcome,
    progress,
    result: close?.status === 'completed' ? valueOf(close.result) : undefined,
    failure: {
      type: failed?.applicationFailureInfo?.type ?? undefined,
      message: failed?.message ?? '',
      details: valueOf(failed?.applicationFailureInfo?.details?.payloads?.[0]),
    },
    statuses: [...service.sessions.values()].map((session) => service.statusOf(session)),
  };
}

export const act = (when: When, action: Action): PlannedAction => ({ when, action });
export const status = (code: number, retryAfterMs?: number) =>
  ({ kind: 'status', status: code, retryAfterMs }) as const;
export const during = (call: Call, fault: ReturnType<typeof status>, forMs: number, fromMs = 0) => ({
  call,
  fromMs,
  forMs,
  fault,
});
export const calls = ({ trace }: Outcome, text: string) => trace.filter((line) => line.includes(text));
