/** What one contender did in one round. */
export interface Measurement {
  readonly gibPerSecond: number;
  /** Of the process that moves the bytes. */
  readonly cpuSecondsPerGib: number;
  /** Of the Temporal server, where there is one. */
  readonly temporalCpuSecondsPerGib?: number;
  /** Of the process that moves the bytes: before it had anything to do, and the most it ever took. */
  readonly idleRssMib: number;
  readonly peakRssMib: number;
}

/** What is moved, the same for every contender. */
export interface Task {
  readonly baseUrl: string;
  readonly path: string;
  readonly fileBytes: number;
  readonly partBytes: number;
  /** Parts in flight. */
  readonly concurrency: number;
}

export const MiB = 1024 ** 2;
export const GiB = 1024 ** 3;
