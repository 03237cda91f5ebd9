import { FailureType } from '../../contracts/failures.ts';

/** What is known of the session when one of its calls has failed for good. */
export interface SessionEvidence {
  /** Failure type and HTTP status of the call. */
  readonly failureType: string;
  readonly status?: number | undefined;
  /** Parts that this session has already taken. */
  readonly partsTaken: number;
  /** Whether a part of this session was sent more than once: a strict server counts both. */
  readonly resent: boolean;
  /** Unix milliseconds. */
  readonly nowMs: number;
  readonly endsAtMs: number;
}

/**
 * Whether a new session can help. Servers disagree on the status for a session that has ended (400, 404, 409, 410);
 * so a 400 counts when something happened that explains it: the session took parts before, ran out of time, or may
 * have been given a part twice ("a strict one counts all received bytes and answers 400").
 */
export function isSessionLost(evidence: SessionEvidence): boolean {
  if (evidence.failureType === FailureType.SessionLost) return true;
  if (evidence.failureType !== FailureType.ApiRejected) return false;
  if (evidence.status !== 400) return false;
  return evidence.partsTaken > 0 || evidence.resent || evidence.nowMs >= evidence.endsAtMs;
}
