import { FailureType } from './failures.ts';

/** A counter of workflows. */
export interface WorkflowCounterDefinition {
  /** Name without `_total`, which the exporter appends. */
  readonly name: string;
  readonly help: string;
  /** The only label that Longhaul adds, with all of its values. Temporal adds namespace, task queue and workflow type. */
  readonly label?: { readonly name: string; readonly values: readonly string[] };
}

/** Failures that an operator can fix, or that are temporary. An upload waits only for these. */
const parkingReasons: readonly FailureType[] = [
  FailureType.ApiRejected,
  FailureType.ApiUnavailable,
  FailureType.ConfigInvalid,
  FailureType.ConnectionFailed,
  FailureType.ManifestUnusable,
  FailureType.MemoryUnavailable,
  FailureType.ResultInvalid,
  FailureType.SourceMissing,
  FailureType.SourceUnavailable,
  FailureType.StrangeAnswer,
  FailureType.TimedOut,
];

const reason = { name: 'reason', values: parkingReasons } as const;

/** Workflows use Temporal's meter, which ignores replays and writes no events to the history. */
export const WorkflowCounter = {
  uploadsStarted: { name: 'longhaul_uploads_started', help: 'Uploads that started.' },
  uploadsEnded: {
    name: 'longhaul_uploads_ended',
    help: 'Uploads that closed, by outcome.',
    label: { name: 'state', values: ['completed', 'failed', 'cancelled'] },
  },
  uploadsParked: {
    name: 'longhaul_uploads_parked',
    help: 'Waits of uploads and syncs, by failure type.',
    label: reason,
  },
  parkedTries: {
    name: 'longhaul_parked_tries_failed',
    help: 'Failed attempts of waiting uploads and syncs, including the first. While a job waits, at least one every five minutes.',
    label: reason,
  },
  sessionsReplaced: { name: 'longhaul_sessions_replaced', help: 'Lost sessions that were replaced by a new session.' },
  sessionLostBytes: {
    name: 'longhaul_session_lost_bytes',
    help: 'Recorded bytes of replaced sessions, which are resent.',
  },
  sessionsAtRisk: {
    name: 'longhaul_sessions_at_risk',
    help: 'Sessions that, at the current rate, expire before their file is complete.',
  },
} as const satisfies Readonly<Record<string, WorkflowCounterDefinition>>;
