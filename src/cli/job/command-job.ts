import type { JobHandle } from '../../client/job-handle.ts';
import type { JobResult } from '../../client/jobs.ts';
import type { PreparedJob } from '../../client/start-job.ts';

/** One upload, split upload or sync of a command, checked before Temporal is called. */
export interface CommandJob<Prepared extends PreparedJob = PreparedJob> {
  readonly prepared: Prepared;
  /** Label of its lines; empty for the only sync of a command. */
  readonly name: string;
}

export type Started<Job extends CommandJob> = Job & { handle: JobHandle<Job['prepared']['kind']> };

export type Outcome<Job extends CommandJob> = Started<Job> & {
  /** Whether it was completed before this command. */
  readonly isOld?: boolean;
  readonly result?: JobResult<Job['prepared']['kind']>;
  readonly error?: unknown;
};
