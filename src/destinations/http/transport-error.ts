import { AbortedError, ConnectionError, LonghaulError, TimeoutError } from '../../errors.ts';

export interface TransportContext {
  /** Such as `adding a part to upload_1`. */
  readonly action: string;
  /** HOST:PORT of the destination. */
  readonly host: string;
}

type ErrorClass = new (message: string, options?: { cause?: unknown }) => LonghaulError;
type Fault = readonly [ErrorClass, string];

const CERTIFICATE = 'If its issuer is a private authority, set NODE_EXTRA_CA_CERTS, or caFile of the destination';
const untrusted: Fault = [ConnectionError, `has a TLS certificate that is not trusted here. ${CERTIFICATE}`];
const clientCertificate: Fault = [
  ConnectionError,
  'requires a client certificate that it trusts. Set clientCertFile and clientKeyFile of the destination',
];
/** TLS alerts of a server that rejects the client's certificate, or its absence. */
const CLIENT_ALERT =
  /^ERR_SSL_(TLSV1_ALERT|TLSV13_ALERT|SSLV3_ALERT)_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|HANDSHAKE_FAILURE)$/;
const noTls: Fault = [
  ConnectionError,
  'does not use TLS as expected. Check whether the base URL must start with http:// or https://',
];
const noHttp: Fault = [ConnectionError, 'returned an invalid HTTP response. Check the base URL'];
const unreachable: Fault = [ConnectionError, 'is not reachable. Check the network'];
const closedHere: Fault = [ConnectionError, 'received no complete request: the client was closed on this side'];

/** The meaning of each code of Node.js, OpenSSL and undici, as the rest of a sentence that starts with the host. */
const faults: Readonly<Record<string, Fault>> = {
  ECONNREFUSED: [ConnectionError, 'refused the connection. Check that the server runs, and the base URL'],
  ECONNRESET: [ConnectionError, 'reset the connection'],
  ECONNABORTED: [ConnectionError, 'aborted the connection'],
  EPIPE: [ConnectionError, 'closed the connection while the request was being sent'],
  ENOTFOUND: [ConnectionError, 'was not found in DNS. Check the base URL'],
  EAI_AGAIN: [ConnectionError, 'could not be resolved: DNS does not respond'],
  ETIMEDOUT: [ConnectionError, 'did not respond on the network in time'],
  EHOSTUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ENETUNREACH: unreachable,
  ENETDOWN: unreachable,
  EADDRNOTAVAIL: [ConnectionError, 'could not be reached: this machine has no free address or port'],
  CERT_HAS_EXPIRED: [ConnectionError, 'has a TLS certificate that has expired'],
  CERT_NOT_YET_VALID: [ConnectionError, 'has a TLS certificate that is not valid yet. Check the clock'],
  CERT_REVOKED: [ConnectionError, 'has a TLS certificate that was revoked'],
  ERR_TLS_CERT_ALTNAME_INVALID: [ConnectionError, 'has a TLS certificate of another name. Check the base URL'],
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  EPROTO: noTls,
  UND_ERR_CONNECT_TIMEOUT: [ConnectionError, 'did not accept a connection in time'],
  UND_ERR_HEADERS_TIMEOUT: [TimeoutError, 'accepted no bytes and sent no response for too long'],
  UND_ERR_BODY_TIMEOUT: [TimeoutError, 'stopped within its response for too long'],
  UND_ERR_SOCKET: [ConnectionError, 'closed the connection before its response was complete'],
  UND_ERR_INFO: [ConnectionError, 'closed the connection before its response was complete'],
  UND_ERR_HEADERS_OVERFLOW: noHttp,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: [ConnectionError, 'ended its response before the announced length'],
  UND_ERR_CLOSED: closedHere,
  UND_ERR_DESTROYED: closedHere,
  UND_ERR_ABORTED: [AbortedError, 'received no complete request: the call was aborted'],
};

/** Converts errors of the transport. Programming errors, which have no such code, are returned unchanged. */
export function mapTransportError(error: unknown, { action, host }: TransportContext): unknown {
  if (error instanceof LonghaulError) return error;
  const describe = ([ErrorOfFault, phrase]: Fault, code: string, cause: unknown) =>
    new ErrorOfFault(messageOf(host, phrase, code, action), { cause });
  if (error instanceof Error && error.name === 'HTTPParserError') {
    // It contains the bytes that could not be parsed, and a server can have returned the headers of the request.
    return describe(noHttp, 'HTTPParserError', new Error(error.message));
  }
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (typeof code !== 'string' || code === 'UND_ERR_INVALID_ARG' || code.startsWith('ERR_INVALID_')) return error;
  return describe(faults[code] ?? faultOfFamily(code), code, error);
}

/** The fix of a phrase follows the action. */
function messageOf(host: string, phrase: string, code: string, action: string): string {
  const [problem, ...fixes] = phrase.split('. ');
  return [`${host} ${problem} (${code}) while ${action}`, ...fixes].join('. ');
}

function faultOfFamily(code: string): Fault {
  if (CLIENT_ALERT.test(code)) return clientCertificate;
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return noTls;
  return [ConnectionError, 'could not be reached'];
}
