import { expect, test } from 'vitest';
import { AbortedError, ConnectionError, SourceChangedError, TimeoutError } from '../../../../src/errors.ts';
import { mapTransportError } from '../../../../src/destinations/http/transport-error.ts';

const context = { action: 'adding a part to upload_1', host: '127.0.0.1:9' };

test.each([
  ['ENOTFOUND', ConnectionError, /was not found in DNS/],
  ['ECONNREFUSED', ConnectionError, /refused/],
  ['ECONNRESET', ConnectionError, /reset/],
  ['EPIPE', ConnectionError, /closed the connection/],
  ['CERT_HAS_EXPIRED', ConnectionError, /expired/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', ConnectionError, /not trusted/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', ConnectionError, /TLS/],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', ConnectionError, /client certificate.*clientCertFile/],
  ['UND_ERR_CONNECT_TIMEOUT', ConnectionError, /accept a connection/],
  ['UND_ERR_HEADERS_TIMEOUT', TimeoutError, /too long/],
  ['UND_ERR_BODY_TIMEOUT', TimeoutError, /too long/],
  ['UND_ERR_SOCKET', ConnectionError, /closed/],
  ['UND_ERR_DESTROYED', ConnectionError, /client was closed/],
  ['UND_ERR_ABORTED', AbortedError, /aborted/],
  ['ENEVERHEARD', ConnectionError, /could not be reached/],
])('maps %s to an error with the host, the action and the cause', (code, expected, words) => {
  const cause = Object.assign(new Error('raw'), { code });
  const error = mapTransportError(cause, context) as Error;
  expect(error).toBeInstanceOf(expected);
  expect(error.message).toMatch(words);
  expect(error.message).toContain('127.0.0.1:9');
  expect(error.message).toContain(context.action);
  expect(error.cause).toBe(cause);
});

test('does not map errors of Longhaul and programming errors', () => {
  const errors = [
    new SourceChangedError('x'),
    new TypeError('x is not a function'),
    Object.assign(new Error('bad option'), { code: 'UND_ERR_INVALID_ARG' }),
  ];
  for (const error of errors) expect(mapTransportError(error, context)).toBe(error);
});
