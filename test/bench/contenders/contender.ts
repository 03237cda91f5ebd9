import type { Measurement, Task } from '../measurement.ts';

/** One way to move a file. */
export interface Contender {
  /** Reason for which it cannot run on this machine; undefined if it can. */
  readonly missing?: () => Promise<string | undefined>;
  /** Brings what it reads into the page cache, before anything is measured. */
  readonly prepare: (task: Task) => Promise<void>;
  readonly measure: (task: Task) => Promise<Measurement>;
}
