import type { Sources } from '../src/sources/sources.ts';
import type { Destination, PartWatch } from '../src/destinations/port.ts';
import type { UploadLimit } from '../src/contracts/upload.ts';
import type { Pace } from '../src/destinations/http/multipart-part.ts';

/** Dependencies of the activities, which the worker provides. */
export interface ActivityDependencies {
  /** @throws ConfigError if this worker does not have the profile */
  readonly destination: (name: string) => Destination;
  /** Sources that this worker permits. */
  readonly sources: Sources;
  /** Stores the rates of uploads. @defaultValue uploads have no rate */
  readonly rates?: UploadRatesKeeper;
  /** Whether the namespace has all search attributes of Longhaul. @defaultValue it does not */
  readonly hasAttributes?: (() => Promise<boolean>) | undefined;
  /** Called at the start of each attempt to send a part. `finished` receives the failure of the activity. @defaultValue not watched */
  readonly watchPart?: ((part: WatchedPart) => PartWatch) | undefined;
}

export interface WatchedPart {
  readonly destination: string;
  /** Counted from 1. */
  readonly attempt: number;
}

export interface UploadRatesKeeper {
  /** @param query returns the rate from the workflow */
  enter(
    workflowId: string,
    limit: UploadLimit | undefined,
    query: () => Promise<UploadLimit | null | undefined>,
  ): { readonly pace: Pace; readonly leave: () => void };
}
