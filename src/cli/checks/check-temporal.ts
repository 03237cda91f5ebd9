import type { LonghaulClient } from '../../client/longhaul-client.ts';
import {
  grpcCause,
  grpcFault,
  namespaceMissing,
  sentences,
  type Explanation,
  type GrpcStatus,
} from '../../temporal/grpc-cause.ts';
import { ConfigError } from '../../errors.ts';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { TemporalConfig } from '../../config/config.ts';
import { errnoCause } from '../../core/text/errno-cause.ts';

const CALL_TIMEOUT_MS = 5_000;

const DENIED: readonly GrpcStatus[] = ['PERMISSION_DENIED', 'UNAUTHENTICATED'];

/**
 * Checks that the namespace exists. Without this check, a command would wait for a worker and print no reason. Ignores
 * other errors, which the command reports.
 *
 * @throws ConfigError if the namespace does not exist, or this client has no access to it
 */
export async function checkNamespace({ temporal: client }: LonghaulClient, address: string): Promise<void> {
  const { namespace } = client.options;
  const faultOf = async (call: () => Promise<unknown>) => {
    try {
      await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, call);
      return undefined;
    } catch (error) {
      return grpcFault(error);
    }
  };
  const fault = await faultOf(() => client.workflowService.describeNamespace({ namespace }));
  if (fault?.status === 'NOT_FOUND') throw new ConfigError(sentences(namespaceMissing(namespace, ` at ${address}`)));
  if (!fault || !DENIED.includes(fault.status)) return;
  // An authorizer can allow a client to use a namespace and deny it to describe the namespace.
  const isUnusable = await faultOf(() => client.workflowService.countWorkflowExecutions({ namespace }));
  if (!isUnusable || !DENIED.includes(isUnusable.status)) return;
  const { problem, fix } = grpcCause(isUnusable);
  throw new ConfigError(sentences({ problem: `${problem}, for namespace "${namespace}" at ${address}`, fix }));
}

const PROBE_MS = 3_000;
/** A server that requires a client certificate reports it after the handshake. */
const ALERT_MS = 300;
const DEFAULT_PORT = 7233;

/** How an attempt to connect ended; `code` is that of Node.js or of OpenSSL. */
type Outcome = { readonly protocol: string | false } | { readonly code: string; readonly message: string };

/**
 * Explains why Temporal's client could not connect. The client reports only that it timed out, so this function connects
 * again and checks the response of the server.
 */
export async function diagnoseTemporal(
  { address, connectionOptions }: Pick<TemporalConfig, 'address' | 'connectionOptions'>,
  error: unknown,
): Promise<Explanation> {
  const fault = grpcFault(error);
  if (fault && fault.status !== 'UNAVAILABLE' && fault.status !== 'DEADLINE_EXCEEDED') return grpcCause(fault);
  const { message } = error as Error;
  if (/PEM|ASN1|X509|no start line|key values mismatch/i.test(message)) {
    return {
      problem: `the certificate or key for TLS is invalid (${message.split(':').at(-1)?.trim()})`,
      fix: 'Check the files that TEMPORAL_TLS_… or the profile name',
    };
  }
  const target = targetOf(address);
  const plain = await probe(() => connectSocket(target), 'connect');
  if ('code' in plain) return unreachable(plain.code);
  const { tls } = connectionOptions;
  return tls ? withTls(target, tls === true ? {} : tls) : withoutTls(target);
}

type Target = { readonly host: string; readonly port: number };

function targetOf(address: string): Target {
  const [, bracketed, name, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(address) ?? [];
  return { host: bracketed ?? name ?? address, port: port === undefined ? DEFAULT_PORT : Number(port) };
}

function unreachable(code: string): Explanation {
  const fix =
    'Check TEMPORAL_ADDRESS and that the Temporal server is running, or unset TEMPORAL_ADDRESS to use an embedded server';
  return { problem: code === 'TIMEOUT' ? `no connection within ${PROBE_MS / 1000} s` : errnoCause(code), fix };
}

const silent: Explanation = {
  problem: 'the server accepts connections, but does not respond like a Temporal server',
  fix: 'Check the host and the port in TEMPORAL_ADDRESS: the gRPC port is usually 7233',
};

async function withoutTls(target: Target): Promise<Explanation> {
  const outcome = await probe(() => connectTls({ ...target, ALPNProtocols: ['h2'], rejectUnauthorized: false }));
  const speaksTls = 'protocol' in outcome || /ALERT/.test(outcome.code);
  if (!speaksTls) return silent;
  return { problem: 'the server requires TLS, and this client does not use it', fix: 'Set TEMPORAL_TLS=true' };
}

type TlsSettings = Exclude<NonNullable<TemporalConfig['connectionOptions']['tls']>, boolean>;

async function withTls(target: Target, settings: TlsSettings): Promise<Explanation> {
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = settings;
  const servername = serverNameOverride ?? (isIP(target.host) === 0 ? target.host : undefined);
  const options: ConnectionOptions = {
    ...target,
    ALPNProtocols: ['h2'],
    servername,
    ca: serverRootCACertificate ? Buffer.from(serverRootCACertificate) : undefined,
    ...(clientCertPair ? { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) } : {}),
  };
  const outcome = await probe(() => connectTls(options));
  if ('protocol' in outcome) {
    return outcome.protocol === 'h2' ? { ...silent, problem: `${silent.problem} over TLS` } : silent;
  }
  const { code, message } = outcome;
  if (/ALERT/.test(code)) {
    return {
      problem: `the server rejects the TLS connection (${code})`,
      fix: 'Set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH to a client certificate that it accepts',
    };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      problem: `the certificate of the server is for another name (${code})`,
      fix: 'Set TEMPORAL_TLS_SERVER_NAME to a name in its certificate',
    };
  }
  if (/CERT|ISSUER|SIGNATURE|CHAIN|CRL/.test(code)) {
    return {
      problem: `the certificate of the server is not trusted: ${message} (${code})`,
      fix: 'Set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the certificate of its authority',
    };
  }
  return {
    problem: `the server does not use TLS, and this client does (${code})`,
    fix: 'Set TEMPORAL_TLS=false, or change TEMPORAL_ADDRESS to the port with TLS',
  };
}

function probe(open: () => Socket, event: 'connect' | 'secureConnect' = 'secureConnect'): Promise<Outcome> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.name, message: error.message });
    let socket: Socket;
    try {
      socket = open();
    } catch (error) {
      return fail(error as Error);
    }
    const end = (outcome: Outcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('error', fail);
    socket.once('close', () => end({ code: 'ECONNRESET', message: 'closed' }));
    socket.setTimeout(PROBE_MS, () => end({ code: 'TIMEOUT', message: 'timeout' }));
    socket.once(event, () => {
      const outcome = { protocol: (socket as TLSSocket).alpnProtocol ?? false };
      if (event === 'connect') end(outcome);
      else setTimeout(() => end(outcome), ALERT_MS);
    });
  });
}
