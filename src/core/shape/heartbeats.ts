import type { CompleteHeartbeat, CreateHeartbeat, PlanSplitHeartbeat } from '../../contracts/activities.ts';
import type { OpenBatchHeartbeat, SendBatchHeartbeat } from '../../contracts/batch.ts';
import type { HashCheckpoint } from '../../contracts/content.ts';
import type { PlanSyncHeartbeat } from '../../contracts/plan-sync.ts';
import { isCount, isPositive, isString, isText, listOf, optional, recordOf, shaped, whole, type Is } from './checks.ts';
import { fileOutcome } from './outcomes.ts';
import { leftFile, session } from './parts.ts';

/*
 * Details of heartbeats, which the next attempt of an activity receives, and the workflow after a timeout. Any client of
 * Temporal can write them. Each function returns undefined for invalid details.
 */

/** Files of a batch, attempts of a call, or digests of a plan: more than any of them has. */
const MANY = 1000;

/** A `HashCheckpoint`. */
export const checkpoint = shaped({
  offsetBytes: isCount,
  state: isString,
  check: optional(isString),
  identity: optional(isString),
});

const reader =
  <Beat>(is: Is) =>
  (details: unknown): Beat | undefined =>
    is(details) ? (details as Beat) : undefined;

export const createHeartbeat = reader<CreateHeartbeat>(shaped({ refused: whole(0, MANY) }));
export const completeHeartbeat = reader<CompleteHeartbeat>(shaped({ rejected: whole(0, MANY) }));
export const hashHeartbeat = reader<HashCheckpoint>(checkpoint);
export const openHeartbeat = reader<OpenBatchHeartbeat>(shaped({ sessions: recordOf(session, MANY) }));
export const sendHeartbeat = reader<SendBatchHeartbeat>(
  shaped({ attempt: isPositive, outcomes: recordOf(fileOutcome, MANY), left: recordOf(leftFile, MANY) }),
);
export const planSplitHeartbeat = reader<PlanSplitHeartbeat>(
  shaped({ fingerprint: isText, lines: shaped({ offsetBytes: isCount, states: listOf(isString, MANY) }) }),
);
export const planSyncHeartbeat = reader<PlanSyncHeartbeat>(
  shaped({ digests: listOf(shaped({ path: isString, checkpoint }), 10 * MANY) }),
);
