import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Runtime } from '@temporalio/worker';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { WorkflowCounter, type WorkflowCounterDefinition } from '../../contracts/metrics.ts';
import { WorkflowName } from '../../contracts/names.ts';
import type { PartWatch } from '../../destinations/port.ts';
import { PartOutcome, partOutcomes, UNKNOWN_DESTINATION, WorkerMetric, type MetricDefinition } from './definitions.ts';

const LOOP_RESOLUTION_MS = 10;

interface Traffic {
  sentBytes: number;
  resentBytes: number;
}

/** An attempt to send a part, while it runs. */
interface Flight {
  readonly destination: string;
  /** When its last byte moved, or it started, by `performance.now()`. */
  lastMoveAtMs: number;
}

const known = new WeakMap<Registry, WorkerMetrics>();

/** The metrics of all workers in this process that share a registry. */
export function workerMetricsOf(registry: Registry): WorkerMetrics {
  const metrics = known.get(registry) ?? new WorkerMetrics(registry);
  known.set(registry, metrics);
  return metrics;
}

/** The metrics of workers. The hot path adds to plain numbers, which are read at a scrape. */
export class WorkerMetrics {
  readonly #flights = new Set<Flight>();
  readonly #traffic = new Map<string, Traffic>();
  readonly #source = { bytes: 0, ms: 0 };
  readonly #parts: Counter;
  readonly #partSeconds: Histogram;
  readonly #partThroughput: Histogram;
  readonly #sessionsOpened: Counter;

  /** @throws Error if the registry has other metrics with these names */
  constructor(registry: Registry) {
    const registers = [registry];
    const options = ({ name, help, labels, buckets = [] }: MetricDefinition) => ({
      name,
      help,
      labelNames: [...labels],
      registers,
      ...(buckets.length > 0 ? { buckets: [...buckets] } : {}),
    });
    const counterOf = (definition: MetricDefinition, read: (counter: Counter) => void) =>
      new Counter({
        ...options(definition),
        collect() {
          this.reset();
          read(this);
        },
      });
    const gaugeOf = (definition: MetricDefinition, read: (gauge: Gauge) => void) =>
      new Gauge({
        ...options(definition),
        collect() {
          read(this);
        },
      });
    const each = (read: (destination: string, traffic: Traffic) => void) => this.#traffic.forEach((t, d) => read(d, t));

    counterOf(WorkerMetric.sentBytes, (counter) =>
      each((destination, { sentBytes }) => counter.inc({ destination }, sentBytes)),
    );
    counterOf(WorkerMetric.resentBytes, (counter) =>
      each((destination, { resentBytes }) => counter.inc({ destination }, resentBytes)),
    );
    counterOf(WorkerMetric.sourceBytes, (counter) => counter.inc(this.#source.bytes));
    counterOf(WorkerMetric.sourceSeconds, (counter) => counter.inc(this.#source.ms / 1000));
    gaugeOf(WorkerMetric.partsInFlight, (gauge) =>
      each((destination) => gauge.set({ destination }, this.#flightsTo(destination).length)),
    );
    gaugeOf(WorkerMetric.partSilence, (gauge) =>
      each((destination) => gauge.set({ destination }, this.#silenceMs(destination) / 1000)),
    );
    const readLoopLag = watchLoopLag();
    gaugeOf(WorkerMetric.loopLag, (gauge) => gauge.set(readLoopLag()));
    this.#parts = new Counter(options(WorkerMetric.parts));
    this.#sessionsOpened = new Counter(options(WorkerMetric.sessionsOpened));
    this.#partSeconds = new Histogram(options(WorkerMetric.partSeconds));
    this.#partThroughput = new Histogram(options(WorkerMetric.partThroughput));
    this.addDestination(UNKNOWN_DESTINATION);
  }

  /** Adds the label of a configured destination, with every series at 0: otherwise, the first failure is not an increase. */
  addDestination(destination: string): void {
    if (this.#traffic.has(destination)) return;
    this.#traffic.set(destination, { sentBytes: 0, resentBytes: 0 });
    for (const outcome of partOutcomes) this.#parts.inc({ destination, outcome }, 0);
    this.#sessionsOpened.inc({ destination }, 0);
    this.#partSeconds.zero({ destination });
    this.#partThroughput.zero({ destination });
  }

  /** Counts one attempt to send a part. Bytes of an attempt after the first one are counted as resent. */
  readonly watchPart = ({ destination, attempt }: { destination: string; attempt: number }): PartWatch => {
    const flight: Flight = { destination, lastMoveAtMs: performance.now() };
    this.#flights.add(flight);
    let startedAtMs = 0;
    let sentBytes = 0;
    return {
      moved: (totalBytes) => {
        flight.lastMoveAtMs = performance.now();
        if (totalBytes === 0) startedAtMs = flight.lastMoveAtMs;
        const bytes = Math.max(totalBytes - sentBytes, 0);
        sentBytes = totalBytes;
        const traffic = this.#traffic.get(destination);
        if (!traffic) return;
        traffic.sentBytes += bytes;
        if (attempt > 1) traffic.resentBytes += bytes;
      },
      read: (bytes, durationMs) => {
        this.#source.bytes += bytes;
        this.#source.ms += durationMs;
      },
      responded: () => {
        const label = { destination: this.#labelOf(destination) };
        const seconds = (performance.now() - startedAtMs) / 1000;
        this.#partSeconds.observe(label, seconds);
        this.#partThroughput.observe(label, sentBytes / Math.max(seconds, Number.EPSILON));
      },
      finished: (error) => {
        this.#flights.delete(flight);
        this.#parts.inc({ destination: this.#labelOf(destination), outcome: outcomeOf(error) });
      },
    };
  };

  /** Counts the sessions of a destination that is in use. */
  readonly sessionCounter = (destination: string) => {
    this.addDestination(destination);
    return () => this.#sessionsOpened.inc({ destination });
  };

  #labelOf(destination: unknown): string {
    return typeof destination === 'string' && this.#traffic.has(destination) ? destination : UNKNOWN_DESTINATION;
  }

  #flightsTo(destination: string): Flight[] {
    return [...this.#flights].filter((flight) => this.#labelOf(flight.destination) === destination);
  }

  /** Longest time for which nothing of a part has moved. 0 if no part is in flight. */
  #silenceMs(destination: string): number {
    const nowMs = performance.now();
    return Math.max(0, ...this.#flightsTo(destination).map(({ lastMoveAtMs }) => nowMs - lastMoveAtMs));
  }
}

/** @param error the failure of an activity; another one counts as `Unknown` */
function outcomeOf(error: unknown): string {
  if (error === undefined) return PartOutcome.ok;
  if (error instanceof CancelledFailure) return PartOutcome.cancelled;
  const type = error instanceof ApplicationFailure ? error.type : undefined;
  return type && partOutcomes.includes(type) ? type : PartOutcome.unknown;
}

/** Returns the delay of the event loop in seconds, since the last call. */
function watchLoopLag(): () => number {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  histogram.enable();
  return () => {
    // It contains the times between two checks, which include the resolution. It is NaN or 0 without a value.
    const lagMs = histogram.percentile(99) / 1e6 - LOOP_RESOLUTION_MS;
    histogram.reset();
    return Math.max(lagMs, 0) / 1000;
  };
}

const waits: readonly WorkflowCounterDefinition[] = [WorkflowCounter.uploadsParked, WorkflowCounter.parkedTries];
const counters: readonly WorkflowCounterDefinition[] = Object.values(WorkflowCounter);

/** A sync and a split upload wait like an upload, and count nothing else. */
const counting: Readonly<Record<string, readonly WorkflowCounterDefinition[]>> = {
  [WorkflowName.uploadFile]: counters,
  [WorkflowName.uploadSplitFile]: waits,
  [WorkflowName.syncSource]: waits,
};

/** Starts every series of the workflows' counters at 0: Prometheus does not count a series that starts at 1 as an increase. */
export function startWorkflowCounters(where: { readonly namespace: string; readonly taskQueue: string }): void {
  for (const [workflowType, definitions] of Object.entries(counting)) {
    const meter = Runtime.instance().metricMeter.withTags({ ...where, workflowType });
    for (const { name, help, label } of definitions) {
      const counter = meter.createCounter(name, undefined, help);
      if (label) for (const value of label.values) counter.add(0, { [label.name]: value });
      else counter.add(0);
    }
  }
}
