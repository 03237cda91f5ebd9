import { JobNotFoundError } from '../../client/errors.ts';
import { ApiError, ConfigError, ConnectionError, StrangeAnswerError, TimeoutError } from '../../errors.ts';
import type { DestinationProfile } from '../../destinations/profile.ts';
import { createDestination } from '../../destinations/kinds.ts';
import type { PreparedJob } from '../../client/start-job.ts';
import type { Backend } from '../backend.ts';
import type { CommandJob } from '../job/run-jobs.ts';

/**
 * Asks the service for its files once before a new upload begins. A workflow would wait patiently for a wrong address
 * to come to life; a person at a terminal wants to know now. Uploads that run already are left to their patience.
 *
 * @throws ConfigError when the service can't be reached, is none, or refuses the key
 */
export async function checkDestination(
  profile: DestinationProfile,
  backend: Backend,
  jobs: readonly Pick<CommandJob, 'prepared'>[],
): Promise<void> {
  const known = await Promise.all(jobs.map(({ prepared }) => isKnown(backend, prepared)));
  if (known.every(Boolean)) return;
  const client = createDestination(profile);
  try {
    await client.files.list({ limit: 1 }, { timeoutMs: 10_000 });
  } catch (error) {
    const problem = problemOf(error);
    if (problem)
      throw new ConfigError(`${profile.baseUrl} (destination "${profile.name}") ${problem}`, { cause: error });
  } finally {
    await client.close();
  }
}

/** Whether the job does not need the service now: it is running, or it is an upload that is completed. */
async function isKnown(backend: Backend, { kind, workflowId }: PreparedJob): Promise<boolean> {
  try {
    const { status } = await backend.client.getHandle(workflowId).describe();
    return status === 'RUNNING' || (status === 'COMPLETED' && kind !== 'sync');
  } catch (error) {
    if (error instanceof JobNotFoundError) return false;
    throw error;
  }
}

/** Only what a new upload could not live with: a key may be allowed to upload and not to list. */
export function problemOf(error: unknown): string | undefined {
  if (error instanceof ConnectionError || error instanceof TimeoutError) {
    return `can't be reached: ${error.message}; check OPENAI_BASE_URL and the network`;
  }
  if (error instanceof StrangeAnswerError)
    return `does not answer as the API does; check OPENAI_BASE_URL: ${error.message}`;
  if (!(error instanceof ApiError)) return undefined;
  const { status } = error.details;
  if (status === 401) return `rejects the key (401): ${error.details.apiMessage ?? error.message}`;
  // The service does not know the very address of the list; a forgotten "/v1" is the most frequent mistake.
  if (status === 404) return `is not the base URL of the API; check OPENAI_BASE_URL: ${error.message}`;
  if (status >= 300 && status < 400) return `answers with a redirect; check OPENAI_BASE_URL: ${error.message}`;
  return undefined;
}
