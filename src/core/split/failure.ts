import { FailureType } from '../../contracts/failures.ts';
import type { PieceProgress } from '../../contracts/split.ts';
import { waitingReason, type FailedCall } from '../upload/reasons.ts';

/** Failures that the following pieces would repeat, because of the source or the request. */
const fatal: readonly string[] = [
  FailureType.SourceArchived,
  FailureType.SourceChanged,
  FailureType.SourceUnusable,
  FailureType.ContentInvalid,
  FailureType.InvalidRequest,
];

/** The plan found the source complete, so that a source that is no longer complete was changed. */
const changed: readonly string[] = [FailureType.SourceChanged, FailureType.SourceUnusable];

/** Whether to skip the pieces after the failed one, for example because the retry period of a rejected key is over. */
export function endsAllPieces(failure: FailedCall): boolean {
  return fatal.includes(failure.failureType) || waitingReason(failure) !== undefined;
}

/** Returns the type and the message of the failure of a split upload with pieces that have no File. */
export function splitFailure(pieces: readonly PieceProgress[]): {
  readonly type: FailureType;
  readonly message: string;
} {
  const isChanged = pieces.some(({ failureType }) => failureType !== undefined && changed.includes(failureType));
  const isInvalid = pieces.some(({ failureType }) => failureType === FailureType.ContentInvalid);
  const without = pieces.filter(({ state }) => state !== 'completed');
  const files = pieces.filter(({ state }) => state === 'completed').map(({ number, fileId }) => `${number} ${fileId}`);
  const reasons = without.map(({ number, message }) => `${number} (${message ?? 'not started'})`);
  const lines = [
    `${without.length} of ${pieces.length} pieces have no File: ${shortened(reasons)}.`,
    files.length > 0 ? `Pieces with a File: ${shortened(files)}.` : 'No piece has a File.',
    isChanged
      ? 'The Files contain the earlier content of the source. Delete them, and start a new upload.'
      : isInvalid
        ? 'Correct the source, delete these Files, and start a new upload.'
        : 'Start the same upload again to send only the missing pieces.',
  ];
  const type = isInvalid ? FailureType.ContentInvalid : FailureType.PiecesFailed;
  return { type: isChanged ? FailureType.SourceChanged : type, message: lines.join(' ') };
}

const MOST_NAMED = 20;

/** The message shows some of them. The details of the failure have all. */
function shortened(items: readonly string[]): string {
  const more = items.length - MOST_NAMED;
  return more > 0 ? `${items.slice(0, MOST_NAMED).join(', ')} and ${more} more` : items.join(', ');
}
