import {
  AbortedError,
  ConfigError,
  LonghaulError,
  SourceChangedError,
  SourceMissingError,
  SourceReadError,
} from '../../errors.ts';
import { networkProblem } from '../remote/values.ts';

export interface S3Failure {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Credentials that were good and are so no longer. */
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired']);
const THROTTLED = new Set(['SlowDown', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'TooManyRequests']);
const CHANGED = new Set(['PreconditionFailed', 'InvalidRange']);

/**
 * Turns what the S3 client throws into ours. What isn't known to be final may work later.
 *
 * @param name of the object, for messages
 */
export function mapS3Error(error: unknown, name: string): LonghaulError {
  const ofNetwork = networkProblem(error, name);
  if (ofNetwork) return ofNetwork;
  if (error instanceof LonghaulError) return error;
  const { name: named = '', message: whole = String(error), $metadata } = (error ?? {}) as S3Failure;
  // What the SDK calls an answer that names no error.
  const code = named.startsWith('Unknown') ? '' : named;
  // The SDK adds a hint for who debugs it.
  const [message = ''] = whole.split('\n', 1);
  const status = $metadata?.httpStatusCode;
  const cause = { cause: error };
  // A store writes codes of its own; those of the SDK come without a status.
  const isOfSdk = status === undefined;
  if (isOfSdk && code === 'AbortError') return new AbortedError(`reading ${name} was aborted`, cause);
  if (isOfSdk && (code === 'CredentialsProviderError' || code === 'TokenProviderError')) {
    return new ConfigError(`there are no credentials to read ${name} with: ${message}`, cause);
  }
  if (isOfSdk && message === 'Region is missing') {
    const advice = 'set AWS_REGION, or "region" of the S3 connection in the config file';
    return new ConfigError(`no region is known to read ${name} in: ${advice}`, cause);
  }
  if (EXPIRED.has(code)) {
    return new SourceReadError(`the credentials to read ${name} with have expired (${code})`, cause);
  }
  if (status === 412 || status === 416 || CHANGED.has(code)) {
    const what = 'was overwritten while it was read; start a new upload of what is there now';
    return new SourceChangedError(`${name} ${what}`, cause);
  }
  if (status === 404) {
    const what = code === 'NoSuchBucket' ? 'is in a bucket that does not exist' : 'does not exist';
    return new SourceMissingError(`${name} ${what}; check its name and the S3 connection`, cause);
  }
  if (status === 401 || status === 403) {
    const advice = 'check the credentials and what they allow';
    return new SourceMissingError(
      `${name} is not readable with these credentials (${code || status}); ${advice}`,
      cause,
    );
  }
  const told = code === 'Error' || code === '' ? message : `${code}: ${message}`;
  const what = message === 'UnknownError' ? `the store answered ${status ?? 'nothing'}` : told;
  const isOverload = status === 429 || status === 503 || THROTTLED.has(code);
  return new SourceReadError(`${name} can't be read at the moment (${what})`, { ...cause, isOverload });
}
