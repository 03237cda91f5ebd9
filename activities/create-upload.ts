import mime from 'mime';
import type { ControlActivities, CreateHeartbeat } from '../src/contracts/activities.ts';
import { createHeartbeat } from '../src/core/shape/heartbeats.ts';
import { knownMimeType } from '../src/core/upload/mime-type.ts';
import { ApiError, ConfigError, StrangeAnswerError } from '../src/errors.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './attempt.ts';
import { toApplicationFailure } from './failures.ts';

/**
 * Opens an Upload. A cancellation does not abort the call, because only a session with a known ID can be cancelled. If the
 * response is lost, the retry opens another session. The first one expires, and is counted in the result, or in the
 * failure if no attempt succeeds.
 */
export function createCreateUpload(dependencies: ActivityDependencies): ControlActivities['createUpload'] {
  return ({ destination, mimeTypeByName, ...fields }) => {
    const { filename, mimeType } = fields;
    const upload = { ...fields, mimeType: mimeTypeByName ? mimeTypeOf(filename, mimeType) : mimeType };
    let refused = 0;
    return runAttempt<Awaited<ReturnType<ControlActivities['createUpload']>>, CreateHeartbeat>(
      async ({ stopSignal: signal, timeoutMs, attempt, lastBeat, beatNow }) => {
        refused = lastBeat?.refused ?? 0;
        try {
          const session = await dependencies.destination(destination).open(upload, { signal, timeoutMs });
          const unanswered = attempt - 1 - refused;
          return unanswered > 0 ? { ...session, unanswered } : session;
        } catch (error) {
          const isCancelled = error instanceof StrangeAnswerError && error.isSessionCancelled;
          if (error instanceof ApiError || error instanceof ConfigError || isCancelled) {
            refused++;
            beatNow();
          }
          const unanswered = attempt - refused;
          throw unanswered > 0 ? toApplicationFailure(error, { attempt, unanswered }) : error;
        }
      },
      () => ({ refused }),
      createHeartbeat,
    );
  };
}

export function mimeTypeOf(filename: string, otherwise: string): string {
  return knownMimeType(filename) ?? mime.getType(filename) ?? otherwise;
}
