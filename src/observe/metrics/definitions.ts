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

/** Metrics of workers. Those of workflows are in contracts/metrics.ts. Base units, and no IDs in labels. */
export const WorkerMetric = {
  sentBytes: {
    name: 'longhaul_sent_bytes_total',
    help: 'Bytes of parts that sockets have accepted, counted while they are sent.',
    type: 'counter',
    labels: ['destination'],
  },
  resentBytes: {
    name: 'longhaul_resent_bytes_total',
    help: 'Bytes of parts that an attempt after the first one sent.',
    type: 'counter',
    labels: ['destination'],
  },
  parts: {
    name: 'longhaul_parts_total',
    help: 'Attempts to send a part, by outcome: ok, a failure type, Cancelled or Unknown.',
    type: 'counter',
    labels: ['destination', 'outcome'],
  },
  partSeconds: {
    name: 'longhaul_part_duration_seconds',
    help: 'Time from the request of a part to its response, of accepted parts.',
    type: 'histogram',
    labels: ['destination'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800],
  },
  partThroughput: {
    name: 'longhaul_part_throughput_bytes_per_second',
    help: 'Bytes per second of one part, of accepted parts.',
    type: 'histogram',
    labels: ['destination'],
    buckets: throughputBuckets,
  },
  partsInFlight: {
    name: 'longhaul_parts_in_flight',
    help: 'Attempts to send a part that are running.',
    type: 'gauge',
    labels: ['destination'],
  },
  partSilence: {
    name: 'longhaul_part_silence_seconds',
    help: 'Maximum time for which nothing of a part in flight has moved; 0 if no part is in flight.',
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
    help: 'Bytes of sources that were read to be sent. Reads for the MD5 are not included.',
    type: 'counter',
    labels: [],
  },
  sourceSeconds: {
    name: 'longhaul_source_read_seconds_total',
    help: 'Duration of these reads, summed over concurrent reads.',
    type: 'counter',
    labels: [],
  },
  loopLag: {
    name: 'longhaul_event_loop_lag_seconds',
    help: 'Delay of the event loop since the last scrape: the 99th percentile.',
    type: 'gauge',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Outcomes of an attempt to send a part that are not failures. */
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

/** Label of every destination that is not in the configuration: callers choose the name, and the number of labels must be small. */
export const UNKNOWN_DESTINATION = 'unknown';
