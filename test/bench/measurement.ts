export const MiB = 1024 ** 2;
export const GiB = 1024 ** 3;

/**
 * Warm-up time of each contender before the measurement, so that connections are open and code is compiled. V8 compiles for
 * more than a second, on a core that the upload also needs.
 */
export const WARM_UP_MS = 2000;

/** What is moved, the same for every contender. */
export interface Task {
  readonly baseUrl: string;
  readonly path: string;
  readonly fileBytes: number;
  readonly partBytes: number;
  /** Parts in flight. */
  readonly concurrency: number;
  /**
   * Size of the parts that are sent before the clock starts. A slow link would carry large
   * ones for longer than what is measured.
   *
   * @defaultValue `partBytes`
   */
  readonly warmUpPartBytes?: number | undefined;
}

/** Lag of the event loop of a process. */
export interface LoopLag {
  readonly p99Ms: number;
  readonly mostMs: number;
}

/** What one contender did in one round. */
export interface Measurement {
  readonly gibPerSecond: number;
  /** Of the process that moves the bytes. */
  readonly cpuSecondsPerGib: number;
  /** Of the process that moves the bytes: the most memory it ever took, and what it took before it had anything to do. */
  readonly peakRssMib: number;
  readonly idleRssMib?: number | undefined;
  /** Of the process that moves the bytes, where it is one of Node. */
  readonly loopLag?: LoopLag | undefined;
  /** Of the Temporal server, where there is one. */
  readonly temporalCpuSecondsPerGib?: number | undefined;
  readonly history?: HistoryCost | undefined;
}

/** What one upload leaves at Temporal. */
export interface HistoryCost {
  readonly parts: number;
  readonly events: number;
  readonly bytes: number;
  /**
   * By the rules of Temporal Cloud: a start, each attempt of an activity, timers and updates count one each. Heartbeats
   * count too, but leave no trace in a history: a part has none that ends within a second.
   */
  readonly billableActions: number;
}

/** A measurement with what the sink saw of it. */
export interface Round extends Measurement {
  readonly sinkCpuSecondsPerGib: number;
  readonly requestsPerGib: number;
}
