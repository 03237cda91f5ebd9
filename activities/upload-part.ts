import { Context } from '@temporalio/activity';
import type {
  PartHeartbeat,
  TransferActivities,
  UploadPartInput,
  UploadPartResult,
} from '../src/contracts/activities.ts';
import { ignoresInode } from '../src/core/upload/fingerprint.ts';
import type { PartWatch } from '../src/destinations/port.ts';
import { ApiError } from '../src/errors.ts';
import { changed } from './failures.ts';
import { assertUnchanged } from '../src/sources/source-reader.ts';
import { hashingReader } from '../src/sources/digest/digest-source.ts';
import { lostSession, sessionLost } from './completion/words.ts';
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
          sessionFailure(error, input.sessionExpiresAt, attempt) ??
          (await scopedSourceError(error, input, { attempt }, { sources, signal }));
        const opened = await sources.open(input.source, { span, signal }).catch(async (error: unknown) => {
          throw await failureOf(error);
        });
        const hashing = input.withMd5 || input.withSha256 || input.check ? hashingReader(opened, input) : undefined;
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
            sha256: hashed?.sha256,
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

/** The failure of a part whose session is lost, or has expired: then any error counts. */
function sessionFailure(error: unknown, expiresAt: number, attempt: number): Error | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const lost = lostSession(error, attempt);
  // By the clock of the service, which set the expiry: that of this worker can be hours ahead.
  const { status, serviceTimeMs = Date.now() } = error.details;
  if (lost || serviceTimeMs <= expiresAt * 1000 + CLOCK_SKEW_MS) return lost;
  return sessionLost(`the session of the Upload expired. Last error: ${error.message}`, attempt, status);
}
