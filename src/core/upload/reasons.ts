import { FailureType } from '../../contracts/failures.ts';

/** What is known of a call that failed and is not going to be repeated by Temporal any more. */
export interface FailedCall {
  readonly failureType: string;
  readonly status?: number | undefined;
  readonly message: string;
  /** Unix milliseconds: when the service wants the call again. */
  readonly retryAtMs?: number | undefined;
}

/** Refusals that a person can mend while the upload waits. */
const mendableStatuses: Readonly<Record<number, string>> = {
  401: 'the service refuses the key; give the workers a valid one',
  402: 'the service wants to be paid; check billing',
  403: "the key is not allowed to do this; check its permissions and the project's",
  404: 'the service does not know this address; check the base URL',
  407: 'a proxy wants a login; check the network of the workers',
  429: 'the quota is used up; raise it or wait until it is renewed',
};

/** Trouble that usually passes, and has lasted through a whole round of attempts. */
const lastingTrouble: Readonly<Record<string, string>> = {
  [FailureType.ApiUnavailable]: 'the service is not ready and has not been for some time',
  [FailureType.ConnectionFailed]: 'the service cannot be reached; check the base URL, DNS, TLS and the network',
  [FailureType.TimedOut]: 'nothing moves; check the network between the workers and the service',
  [FailureType.StrangeAnswer]: 'the answers are not those of the API; check the base URL and any proxy',
  [FailureType.SourceUnavailable]: 'reading the source fails; check its disk or mount',
};

/**
 * In plain words why an upload waits, or undefined when waiting can't help. Nothing that was sent is lost by waiting,
 * so it is right for all that a person can repair; 400, 413 and 422 say that the request itself is wrong.
 */
export function waitingReason({ failureType, status, message, retryAtMs }: FailedCall): string | undefined {
  const isPause = failureType === FailureType.ApiUnavailable && retryAtMs !== undefined;
  const reason = isPause ? 'the service asks for a pause' : reasonOf(failureType, status);
  if (reason === undefined) return undefined;
  const until = retryAtMs === undefined ? '' : ` until ${new Date(retryAtMs).toISOString().slice(0, 19)}Z`;
  return `${reason}${until && (isPause ? until : `; it asks for a pause${until}`)} (${message})`;
}

function reasonOf(failureType: string, status: number | undefined): string | undefined {
  if (failureType === FailureType.ApiRejected && status !== undefined) {
    const isRedirect = status >= 300 && status < 400;
    return isRedirect ? 'the service is elsewhere; check the base URL' : mendableStatuses[status];
  }
  if (failureType === FailureType.SourceMissing) return 'the source is missing or not readable; bring it back';
  if (failureType === FailureType.ConfigInvalid) return 'the worker lacks a setting; mend its configuration';
  return lastingTrouble[failureType];
}
