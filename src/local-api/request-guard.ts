import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { ApiProblem } from './errors.ts';
import type { ServiceStyle } from './style.ts';

/** Decides which requests the server accepts at all, on the routes of the API and on those of `/_admin`. */
export class RequestGuard {
  readonly #hosts: ReadonlySet<string>;
  readonly #apiKey: string | undefined;
  readonly #style: ServiceStyle;

  /**
   * @param hosts names and addresses that `Host` can have, in addition to those of loopback
   * @param apiKey undefined: any key that is not empty
   */
  constructor(hosts: readonly string[], apiKey: string | undefined, style: ServiceStyle) {
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()));
    this.#apiKey = apiKey;
    this.#style = style;
  }

  /** Returns why the request is rejected; undefined if it is accepted. */
  problemOf({ headers, socket }: IncomingMessage): ApiProblem | undefined {
    return this.#hostProblem(headers.host ?? '', socket.localAddress) ?? this.#style.keyProblem(headers, this.#apiKey);
  }

  /** A web page can resolve its own name to this machine. Its requests then have that name as their host. */
  #hostProblem(host: string, localAddress: string | undefined): ApiProblem | undefined {
    const name = nameOfHost(host);
    if (isLoopback(name) || this.#hosts.has(name) || name === localAddress?.replace(/^::ffff:/, '')) return undefined;
    return new ApiProblem(
      421,
      "The host of this request is not the local API's. Use its address, or permit the name with --allow-host.",
      { code: 'host_not_allowed' },
    );
  }
}

/** Without port and brackets. */
function nameOfHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}
