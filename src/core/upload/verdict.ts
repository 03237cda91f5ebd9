import { FailureType } from '../../contracts/failures.ts';

/** The state of a session after one of its calls failed permanently. */
export interface SessionEvidence {
  /** Failure type and HTTP status of the call. */
  readonly failureType: string;
  readonly status?: number | undefined;
  /** Parts that this session has accepted. */
  readonly partsTaken: number;
  /** Whether a part of this session was sent more than once. A strict server counts both copies. */
  readonly resent: boolean;
  /** Unix milliseconds. */
  readonly nowMs: number;
  readonly endsAtMs: number;
}

/**
 * Decides whether a new session can help. Servers return different statuses for a session that is closed (400, 404, 409,
 * 410). A 400 counts if an event explains it: the session accepted parts before, expired, or can have received a part
 * twice (a strict server counts all received bytes and returns 400).
 */
export function isSessionLost(evidence: SessionEvidence): boolean {
  if (evidence.failureType === FailureType.SessionLost) return true;
  if (evidence.failureType !== FailureType.ApiRejected) return false;
  if (evidence.status !== 400) return false;
  return evidence.partsTaken > 0 || evidence.resent || evidence.nowMs >= evidence.endsAtMs;
}
