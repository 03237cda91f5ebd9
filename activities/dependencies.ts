import type { Sources } from '../src/sources/sources.ts';
import type { UploadsClient } from '../src/destinations/openai.ts';
import type { UploadLimit } from '../src/contracts/upload.ts';
import type { Pace } from '../src/destinations/http/multipart-part.ts';

/** What the activities need from the worker that runs them. */
export interface ActivityDependencies {
  /** @throws ConfigError for a profile that this worker doesn't have */
  readonly destination: (name: string) => UploadsClient;
  /** Opens what this worker may read. */
  readonly sources: Sources;
  /** Keeps the limits of uploads. @defaultValue none is kept */
  readonly limits?: UploadLimitsKeeper;
  /** Whether the namespace has all search attributes of Longhaul. @defaultValue it does not */
  readonly hasAttributes?: (() => Promise<boolean>) | undefined;
  /** Runs the attempt to send one file of a batch, and counts how it ends. @defaultValue it is not counted */
  readonly watchPart?: PartWatcher | undefined;
}

/** @param body throws an ApplicationFailure, or a CancelledFailure */
export type PartWatcher = <T>(
  part: { readonly destination: string; readonly attempt: number },
  body: () => Promise<T>,
) => Promise<T>;

export interface UploadLimitsKeeper {
  /** @param ask the limit by the workflow's own word */
  enter(
    workflowId: string,
    limit: UploadLimit | undefined,
    ask: () => Promise<UploadLimit | null | undefined>,
  ): { readonly pace: Pace; readonly leave: () => void };
}
