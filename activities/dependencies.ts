import type { Sources } from '../src/sources/sources.ts';
import type { UploadsClient } from '../src/openai/uploads-client.ts';

/** What the activities need from the worker that runs them. */
export interface ActivityDependencies {
  /** @throws ConfigError for a profile that this worker doesn't have */
  readonly destination: (name: string) => UploadsClient;
  /** Opens what this worker may read. */
  readonly sources: Sources;
}
