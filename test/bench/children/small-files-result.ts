/** What uploading many small files took. */
export interface SmallFilesResult {
  readonly seconds: number;
  /** Of the process that moves the bytes. */
  readonly cpuSeconds: number;
  /** Of the process that moves the bytes. */
  readonly peakRssMib: number;
  /** Of the Temporal server, where there is one. */
  readonly temporalCpuSeconds?: number;
  readonly actionsPerFile?: number;
  readonly eventsPerFile?: number;
}
