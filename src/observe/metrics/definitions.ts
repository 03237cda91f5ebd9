import { FailureType } from '../../contracts/failures.ts';

export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const KiB = 1024;

/** A part has 1 MiB to 64 MiB; 128 KiB/s to 2 GiB/s. */
const throughputBuckets = Array.from({ length: 15 }, (_, power) => 128 * KiB * 2 ** power);

/** What workers measure themselves. Workflows' own counters are in contracts/metrics.ts. Base units, and no ids in labels. */
export const WorkerMetric = {
  sentBytes: {
    name: 'longhaul_sent_bytes_total',
    help: 'Bytes of parts that sockets have taken, while they are sent.',
    type: 'counter',
    labels: ['destination'],
  },
  resentBytes: {
    name: 'longhaul_resent_bytes_total',
    help: 'Those of them that an attempt after the first one sent.',
    type: 'counter',
    labels: ['destination'],
  },
  parts: {
    name: 'longhaul_parts_total',
    help: 'Attempts to send a part, by how they ended: ok, a failure type, Cancelled or Unknown.',
    type: 'counter',
    labels: ['destination', 'outcome'],
  },
  partSeconds: {
    name: 'longhaul_part_duration_seconds',
    help: 'Time from the request of a part to its answer, of parts that were taken.',
    type: 'histogram',
    labels: ['destination'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800],
  },
  partThroughput: {
    name: 'longhaul_part_throughput_bytes_per_second',
    help: 'Bytes a second of one part, of parts that were taken.',
    type: 'histogram',
    labels: ['destination'],
    buckets: throughputBuckets,
  },
  partsInFlight: {
    name: 'longhaul_parts_in_flight',
    help: 'Attempts to send a part that are under way.',
    type: 'gauge',
    labels: ['destination'],
  },
  partSilence: {
    name: 'longhaul_part_silence_seconds',
    help: 'Longest time for which nothing of a part in flight has moved; 0 when none is in flight.',
    type: 'gauge',
    labels: ['destination'],
  },
  sessionsOpened: {
    name: 'longhaul_sessions_opened_total',
    help: 'Uploads opened at the service.',
    type: 'counter',
    labels: ['destination'],
  },
  sourceBytes: {
    name: 'longhaul_source_read_bytes_total',
    help: 'Bytes of sources that were read to be sent; the md5 reads by itself and is not in it.',
    type: 'counter',
    labels: [],
  },
  sourceSeconds: {
    name: 'longhaul_source_read_seconds_total',
    help: 'Time that these reads took, summed over all that ran at the same time.',
    type: 'counter',
    labels: [],
  },
  loopLag: {
    name: 'longhaul_event_loop_lag_seconds',
    help: 'By how much the event loop came back late since it was last asked: the 99th percentile.',
    type: 'gauge',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** How an attempt to send a part ends. */
export const PartOutcome = { ok: 'ok', cancelled: 'Cancelled', unknown: 'Unknown' } as const;

/** Failure types that an attempt to send a part can end with. */
const partFailures: readonly string[] = [
  FailureType.ApiRejected,
  FailureType.ApiUnavailable,
  FailureType.CompletionUncertain,
  FailureType.ConfigInvalid,
  FailureType.ConnectionFailed,
  FailureType.SessionLost,
  FailureType.SourceArchived,
  FailureType.SourceChanged,
  FailureType.SourceForbidden,
  FailureType.SourceMissing,
  FailureType.SourceUnavailable,
  FailureType.SourceUnusable,
  FailureType.StrangeAnswer,
  FailureType.TimedOut,
  FailureType.WorkerStopping,
];

export const partOutcomes: readonly string[] = [...Object.values(PartOutcome), ...partFailures];

/** Stands for every destination that the configuration doesn't have: callers choose the name, and labels must stay few. */
export const UNKNOWN_DESTINATION = 'unknown';
