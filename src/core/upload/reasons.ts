import { FailureType } from '../../contracts/failures.ts';

/** A failed call that Temporal no longer retries. */
export interface FailedCall {
  readonly failureType: string;
  readonly status?: number | undefined;
  readonly message: string;
  /** Unix milliseconds: time at which the service accepts the call again. */
  readonly retryAtMs?: number | undefined;
}

interface Reason {
  readonly cause: string;
  readonly fix: string;
}

/** Rejections that an operator can fix while the upload waits. */
const fixableStatuses: Readonly<Record<number, Reason>> = {
  401: { cause: 'the service rejects the key (401)', fix: 'Set a valid key for the workers.' },
  402: { cause: 'the service requires payment (402)', fix: 'Check the billing of the project.' },
  403: { cause: 'the key has no permission (403)', fix: 'Check the permissions of the key and of the project.' },
  404: { cause: 'the service does not recognise the address (404)', fix: 'Check the base URL.' },
  407: { cause: 'a proxy requires a login (407)', fix: 'Check the proxy settings of the workers.' },
  429: { cause: 'the quota is exhausted (429)', fix: 'Raise it, or wait until it is renewed.' },
};

/** Temporary errors that lasted for ten attempts, and errors that an operator can fix. */
const reasons: Readonly<Record<string, Reason>> = {
  [FailureType.ApiUnavailable]: { cause: 'the service is unavailable', fix: 'Check the status of the service.' },
  [FailureType.ConnectionFailed]: {
    cause: 'the service is not reachable',
    fix: 'Check the base URL, DNS, TLS and the network.',
  },
  [FailureType.TimedOut]: {
    cause: 'calls time out',
    fix: 'Check the network between the workers and the service.',
  },
  [FailureType.StrangeAnswer]: {
    cause: 'the responses are not those of the API',
    fix: 'Check the base URL and any proxy.',
  },
  [FailureType.SourceUnavailable]: { cause: 'the source cannot be read', fix: 'Check its disk or mount.' },
  [FailureType.SourceMissing]: { cause: 'the source is missing or not readable', fix: 'Restore it.' },
  [FailureType.ManifestUnusable]: {
    cause: 'the manifest cannot be used',
    fix: 'Correct it, or its permissions.',
  },
  [FailureType.MemoryUnavailable]: {
    cause: 'the memory of the sync cannot be read or written',
    fix: 'Fix the cause of the last error.',
  },
  [FailureType.ResultInvalid]: {
    cause: 'another program completed or cancelled an activity of the workflow',
    fix: 'Check the other programs that use its task queues or its Temporal namespace.',
  },
  [FailureType.ConfigInvalid]: {
    cause: 'a setting of the worker is missing or invalid',
    fix: 'Correct its configuration.',
  },
};

/**
 * Returns the reason why an upload waits, as `<cause>. <fix>.` with the last error; undefined if it should not wait.
 * Recorded parts are kept in a wait, so an upload waits for every error that an operator can fix. For 400, 413 and 422,
 * the request itself is invalid.
 */
export function waitingReason({ failureType, status, message, retryAtMs }: FailedCall): string | undefined {
  const isPause = failureType === FailureType.ApiUnavailable && retryAtMs !== undefined;
  const until =
    retryAtMs === undefined ? '' : ` requested a pause until ${new Date(retryAtMs).toISOString().slice(0, 19)}Z`;
  const error = `Last error: ${message}`;
  if (isPause) return `the service${until}. ${error}`;
  const reason = reasonOf(failureType, status);
  if (reason === undefined) return undefined;
  return `${reason.cause}${until && `, and the service${until}`}. ${reason.fix} ${error}`;
}

/** Whether another key can end a failure. A missing key is a failure of the configuration. */
export function isAboutKey(failureType: string | null | undefined, status: number | undefined): boolean {
  if (failureType === FailureType.ConfigInvalid) return true;
  return failureType === FailureType.ApiRejected && (status === 401 || status === 403);
}

function reasonOf(failureType: string, status: number | undefined): Reason | undefined {
  if (failureType === FailureType.ApiRejected && status !== undefined) {
    const isRedirect = status >= 300 && status < 400;
    const moved = { cause: `the service redirects to another address (${status})`, fix: 'Check the base URL.' };
    return isRedirect ? moved : fixableStatuses[status];
  }
  return reasons[failureType];
}
