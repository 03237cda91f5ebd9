import type { Measurement, Task } from '../measurement.ts';

/** One way to move a file. */
export interface Contender {
  /** Why it can't run on this machine, in words; undefined when it can. */
  readonly missing?: () => Promise<string | undefined>;
  /** Brings what it reads into the page cache, before anything is measured. */
  readonly prepare: (task: Task) => Promise<void>;
  readonly measure: (task: Task) => Promise<Measurement>;
}
