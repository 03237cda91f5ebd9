import { FailureType } from './failures.ts';

/** A counter that workflows keep. */
export interface WorkflowCounterDefinition {
  /** Without `_total`, which the exporter puts behind it. */
  readonly name: string;
  readonly help: string;
  /** Its only label of ours, and all values that it takes; Temporal adds namespace, task queue and workflow type. */
  readonly label?: { readonly name: string; readonly values: readonly string[] };
}

/** Whatever a person can repair, or what usually passes: nothing else parks an upload. */
const parkingReasons: readonly FailureType[] = [
  FailureType.ApiRejected,
  FailureType.ApiUnavailable,
  FailureType.ConfigInvalid,
  FailureType.ConnectionFailed,
  FailureType.SourceMissing,
  FailureType.SourceUnavailable,
  FailureType.StrangeAnswer,
  FailureType.TimedOut,
];

const reason = { name: 'reason', values: parkingReasons } as const;

/** Workflows count by Temporal's own meter: it counts no replay, and writes nothing into the history. */
export const WorkflowCounter = {
  uploadsStarted: { name: 'longhaul_uploads_started', help: 'Uploads that started.' },
  uploadsEnded: {
    name: 'longhaul_uploads_ended',
    help: 'Uploads that ended, by how.',
    label: { name: 'state', values: ['completed', 'failed', 'cancelled'] },
  },
  uploadsParked: {
    name: 'longhaul_uploads_parked',
    help: 'Waits of uploads and syncs that started, by the failure.',
    label: reason,
  },
  parkedTries: {
    name: 'longhaul_parked_tries_failed',
    help: 'Tries that failed of what waits for a person, the first one included; while something waits there is one in five minutes at least.',
    label: reason,
  },
  sessionsReplaced: { name: 'longhaul_sessions_replaced', help: 'Sessions that were lost and replaced by a new one.' },
  sessionLostBytes: {
    name: 'longhaul_session_lost_bytes',
    help: 'Bytes that were recorded in sessions that were replaced, and are sent again.',
  },
  sessionsAtRisk: {
    name: 'longhaul_sessions_at_risk',
    help: 'Sessions that end before their file is through, at the pace so far.',
  },
} as const satisfies Readonly<Record<string, WorkflowCounterDefinition>>;
