import { FailureType } from '../../contracts/failures.ts';
import type { PieceProgress } from '../../contracts/split.ts';
import { waitingReason, type FailedCall } from '../upload/reasons.ts';

/** What the source has become, or the request is; no piece after this one would fare better. */
const fatal: readonly string[] = [
  FailureType.SourceArchived,
  FailureType.SourceChanged,
  FailureType.SourceUnusable,
  FailureType.InvalidRequest,
];

/** The plan found the source whole, so that one which is not any more was changed. */
const changed: readonly string[] = [FailureType.SourceChanged, FailureType.SourceUnusable];

/** Whether the pieces after the one that failed are better left alone: a refused key was waited for long enough. */
export function endsAllPieces(failure: FailedCall): boolean {
  return fatal.includes(failure.failureType) || waitingReason(failure) !== undefined;
}

/** Type and words of the failure of a split upload, some of whose pieces have no File. */
export function splitFailure(pieces: readonly PieceProgress[]): {
  readonly type: FailureType;
  readonly message: string;
} {
  const isChanged = pieces.some(({ failureType }) => failureType !== undefined && changed.includes(failureType));
  const without = pieces.filter(({ state }) => state !== 'completed');
  const files = pieces.filter(({ state }) => state === 'completed').map(({ number, fileId }) => `${number} ${fileId}`);
  const reasons = without.map(({ number, message }) => `${number} (${message ?? 'not begun'})`);
  const words = [
    `${without.length} of ${pieces.length} pieces have no File: ${shortened(reasons)}`,
    files.length > 0 ? `these have: ${shortened(files)}` : 'no piece has',
    isChanged
      ? 'what they hold is the source as it was; start a new upload of what it is now'
      : 'the same request sends only what is missing',
  ];
  return { type: isChanged ? FailureType.SourceChanged : FailureType.PiecesFailed, message: words.join('; ') };
}

const MOST_NAMED = 20;

/** A message is for people; the failure's details have all of them. */
function shortened(items: readonly string[]): string {
  const more = items.length - MOST_NAMED;
  return more > 0 ? `${items.slice(0, MOST_NAMED).join(', ')} and ${more} more` : items.join(', ');
}
