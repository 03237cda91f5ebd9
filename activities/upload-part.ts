import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type {
  PartHeartbeat,
  TransferActivities,
  UploadPartInput,
  UploadPartResult,
} from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import { ignoresInode } from '../src/core/upload/fingerprint.ts';
import type { PartWatch } from '../src/destinations/port.ts';
import { ApiError } from '../src/errors.ts';
import { changed } from './failures.ts';
import { assertUnchanged } from '../src/sources/source-reader.ts';
import { hashingReader } from '../src/sources/digest/digest-source.ts';
import { saysEnded } from './completion/words.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { enterRates, watchedPart } from './part.ts';
import { runAttempt } from './attempt.ts';
import { scopedSourceError } from './source-scope.ts';

/** Tolerance for differences between clocks. After it, retries cannot succeed. The response of the service has priority. */
const CLOCK_SKEW_MS = 60_000;

/** Sends one range of the source as one Part. The source must be the same before and after. */
export function createUploadPart(dependencies: ActivityDependencies): TransferActivities['uploadPart'] {
  return (input) => {
    const { attempt: number } = Context.current().info;
    return watchedPart(dependencies, { destination: input.destination, attempt: number }, (watch) =>
      send(input, watch),
    );
  };

  function send(input: UploadPartInput, watch: PartWatch | undefined): Promise<UploadPartResult> {
    let bytesSent = 0;
    return runAttempt(
      async ({ signal, attempt, timeoutMs }) => {
        const client = dependencies.destination(input.destination);
        const { sources } = dependencies;
        const { offsetBytes, sizeBytes } = input;
        const span = { offsetBytes, sizeBytes };
        const failureOf = async (error: unknown): Promise<unknown> =>
          changed(error) ??
          sessionLost(error, input.sessionExpiresAt, attempt) ??
          (await scopedSourceError(error, input, { attempt }, { sources, signal }));
        const opened = await sources.open(input.source, { span, signal }).catch(async (error: unknown) => {
          throw await failureOf(error);
        });
        const hashing = input.withMd5 || input.check ? hashingReader(opened, input) : undefined;
        const reader = hashing ?? opened;
        const rated = enterRates(dependencies, input.limit, input.sharedLimit);
        try {
          await assertUnchanged(reader, input.fingerprint);
          const heartbeat = { moved: (totalBytes: number) => void (bytesSent = totalBytes) };
          const part = {
            partNumber: input.partNumber,
            reader,
            ...span,
            pace: rated.pace,
            listeners: [heartbeat, watch],
          };
          const { partId } = await client.send(input.uploadId, part, { signal, timeoutMs });
          const { fingerprint } = await assertUnchanged(reader, input.fingerprint);
          const hashed = hashing?.result();
          return {
            partId,
            attempt,
            md5: input.withMd5 ? hashed?.md5 : undefined,
            warnings: hashed?.warnings,
            fingerprint: ignoresInode(input.fingerprint) ? fingerprint : undefined,
          };
        } catch (error) {
          throw await failureOf(error);
        } finally {
          rated.leave();
          await reader.close();
        }
      },
      (): PartHeartbeat => ({ bytesSent }),
    );
  }
}

/** Statuses with which servers reject a part of a session that is not open. */
const MAYBE_ENDED = [400, 409];

/**
 * Whether a session is lost: after 404 and 410, after 400 and 409 if the message says so, and after its expiry for any other
 * error.
 */
function sessionLost(error: unknown, expiresAt: number, attempt: number): ApplicationFailure | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const { status } = error.details;
  const isGone = status === 404 || status === 410 || (MAYBE_ENDED.includes(status) && saysEnded(error));
  const isOver = Date.now() > expiresAt * 1000 + CLOCK_SKEW_MS;
  if (!isGone && !isOver) return undefined;
  return ApplicationFailure.create({
    message: isGone ? error.message : `the session of the Upload expired. Last error: ${error.message}`,
    type: FailureType.SessionLost,
    nonRetryable: true,
    details: [{ attempt, status }],
  });
}
