import { AbortedError, ConnectionError, LonghaulError, TimeoutError } from '../../errors.ts';

export interface TransportContext {
  /** What was being done, such as `adding a part to upload_1`. */
  readonly action: string;
  /** HOST:PORT of the destination. */
  readonly host: string;
}

type ErrorClass = new (message: string, options?: { cause?: unknown }) => LonghaulError;
type Fault = readonly [ErrorClass, string];

const CERTIFICATE =
  "set NODE_EXTRA_CA_CERTS, or caFile of the destination, when the certificate's issuer is one of your own";
const untrusted: Fault = [ConnectionError, `has a TLS certificate that is not trusted here; ${CERTIFICATE}`];
const clientCertificate: Fault = [
  ConnectionError,
  'requires a client certificate that it trusts; set clientCertFile and clientKeyFile of the destination',
];
/** TLS alerts of a server that has no use for the client's certificate, or for its absence. */
const CLIENT_ALERT =
  /^ERR_SSL_(TLSV1_ALERT|TLSV13_ALERT|SSLV3_ALERT)_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|HANDSHAKE_FAILURE)$/;
const noTls: Fault = [ConnectionError, 'does not speak TLS as expected; is the base URL right about https?'];
const noHttp: Fault = [ConnectionError, 'answered with something that is not proper HTTP; is the base URL right?'];
const unreachable: Fault = [ConnectionError, 'is not reachable; is there a network?'];
const closedHere: Fault = [ConnectionError, 'was not asked to the end: the client was closed on this side'];

/** What each code of Node, OpenSSL and undici means, as the rest of a sentence that begins with the host. */
const faults: Readonly<Record<string, Fault>> = {
  ECONNREFUSED: [ConnectionError, 'refused the connection; does the server run, and is the base URL right?'],
  ECONNRESET: [ConnectionError, 'reset the connection'],
  ECONNABORTED: [ConnectionError, 'broke the connection'],
  EPIPE: [ConnectionError, 'closed the connection while the request was being sent'],
  ENOTFOUND: [ConnectionError, 'is a name that DNS does not know; is the base URL right?'],
  EAI_AGAIN: [ConnectionError, 'could not be looked up: DNS does not answer at the moment'],
  ETIMEDOUT: [ConnectionError, 'did not answer on the network in time'],
  EHOSTUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ENETUNREACH: unreachable,
  ENETDOWN: unreachable,
  EADDRNOTAVAIL: [ConnectionError, 'could not be connected to: this host has no free address or port'],
  CERT_HAS_EXPIRED: [ConnectionError, 'has a TLS certificate that has expired'],
  CERT_NOT_YET_VALID: [ConnectionError, 'has a TLS certificate that is not valid yet; is the clock right?'],
  CERT_REVOKED: [ConnectionError, 'has a TLS certificate that was revoked'],
  ERR_TLS_CERT_ALTNAME_INVALID: [ConnectionError, 'has a TLS certificate of another name; is the base URL right?'],
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  EPROTO: noTls,
  UND_ERR_CONNECT_TIMEOUT: [ConnectionError, 'did not accept a connection in time'],
  UND_ERR_HEADERS_TIMEOUT: [TimeoutError, 'took no bytes and gave no answer for too long'],
  UND_ERR_BODY_TIMEOUT: [TimeoutError, 'stopped in the middle of its answer for too long'],
  UND_ERR_SOCKET: [ConnectionError, 'closed the connection before its answer was complete'],
  UND_ERR_INFO: [ConnectionError, 'closed the connection before its answer was complete'],
  UND_ERR_HEADERS_OVERFLOW: noHttp,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: [ConnectionError, 'ended its answer before its announced length'],
  UND_ERR_CLOSED: closedHere,
  UND_ERR_DESTROYED: closedHere,
  UND_ERR_ABORTED: [AbortedError, 'was not asked to the end: the call was aborted'],
};

/** Turns what the transport throws into ours. Programming errors, which carry no code of a fault, stay as they are. */
export function mapTransportError(error: unknown, { action, host }: TransportContext): unknown {
  if (error instanceof LonghaulError) return error;
  const describe = ([ErrorOfFault, phrase]: Fault, code: string, cause: unknown) =>
    new ErrorOfFault(`${host} ${phrase} (${code}), while ${action}`, { cause });
  if (error instanceof Error && error.name === 'HTTPParserError') {
    // It carries the bytes that it couldn't parse, and a server may have sent the request's headers back.
    return describe(noHttp, 'HTTPParserError', new Error(error.message));
  }
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (typeof code !== 'string' || code === 'UND_ERR_INVALID_ARG' || code.startsWith('ERR_INVALID_')) return error;
  return describe(faults[code] ?? faultOfFamily(code), code, error);
}

function faultOfFamily(code: string): Fault {
  if (CLIENT_ALERT.test(code)) return clientCertificate;
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return noTls;
  return [ConnectionError, 'could not be talked to'];
}
