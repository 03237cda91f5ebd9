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

/** Codes of expired credentials. */
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired']);
const THROTTLED = new Set(['SlowDown', 'Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'TooManyRequests']);
const CHANGED = new Set(['PreconditionFailed', 'InvalidRange']);

/**
 * Maps the errors of the S3 client to those of Longhaul. Unknown errors are retried.
 *
 * @param name of the object, for messages
 */
export function mapS3Error(error: unknown, name: string): LonghaulError {
  const ofNetwork = networkProblem(error, name);
  if (ofNetwork) return ofNetwork;
  if (error instanceof LonghaulError) return error;
  const { name: named = '', message: whole = String(error), $metadata } = (error ?? {}) as S3Failure;
  // The SDK's name for a response without an error code.
  const code = named.startsWith('Unknown') ? '' : named;
  // The SDK adds a hint for its developers.
  const [message = ''] = whole.split('\n', 1);
  const status = $metadata?.httpStatusCode;
  const cause = { cause: error };
  // Errors of a store have a status. Those of the SDK do not.
  const isOfSdk = status === undefined;
  if (isOfSdk && code === 'AbortError') return new AbortedError(`reading ${name} was aborted`, cause);
  if (isOfSdk && (code === 'CredentialsProviderError' || code === 'TokenProviderError')) {
    return new ConfigError(
      `cannot read ${name}: no credentials found (${message}). Set the AWS credentials of this process.`,
      cause,
    );
  }
  if (isOfSdk && message === 'Region is missing') {
    const advice = 'Set AWS_REGION, or "region" of the S3 connection in the config file.';
    return new ConfigError(`cannot read ${name}: no region is set. ${advice}`, cause);
  }
  if (EXPIRED.has(code)) {
    return new SourceReadError(`cannot read ${name}: the credentials have expired (${code})`, cause);
  }
  if (status === 412 || status === 416 || CHANGED.has(code)) {
    const what = 'was overwritten while it was read. Start a new upload.';
    return new SourceChangedError(`${name} ${what}`, cause);
  }
  if (status === 404) {
    const what = code === 'NoSuchBucket' ? 'the bucket does not exist' : 'it does not exist';
    return new SourceMissingError(`cannot read ${name}: ${what}. Check its name and the S3 connection.`, cause);
  }
  if (status === 401 || status === 403) {
    const advice = 'Check the credentials and their permissions.';
    return new SourceMissingError(`cannot read ${name}: the store denied access (${code || status}). ${advice}`, cause);
  }
  const told = code === 'Error' || code === '' ? message : `${code}: ${message}`;
  const what = message === 'UnknownError' ? `the store returned ${status ?? 'no status'}` : told;
  const isOverload = status === 429 || status === 503 || THROTTLED.has(code);
  return new SourceReadError(`cannot read ${name}: ${what}`, { ...cause, isOverload });
}
