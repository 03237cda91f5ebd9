import { BlockList, isIP } from 'node:net';
import { withoutBrackets } from './url.ts';

interface NameEntry {
  /** Lower case, without a leading `.` or `*.`. */
  readonly name: string;
  readonly port: number | undefined;
}

interface NetworkEntry {
  readonly network: BlockList;
  readonly port: number | undefined;
}

/**
 * The hosts that are reached without a proxy, as in `NO_PROXY`: names with their subdomains, addresses, networks such as
 * `10.0.0.0/8`, each with or without a port, and `*` for every host. Entries are separated by commas or spaces.
 */
export class NoProxy {
  readonly #isEveryHost: boolean;
  readonly #names: readonly NameEntry[];
  readonly #networks: readonly NetworkEntry[];

  constructor(text = '') {
    const entries = text
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== '');
    this.#isEveryHost = entries.includes('*');
    this.#networks = entries.flatMap((entry) => networkEntry(entry) ?? []);
    this.#names = entries.filter((entry) => networkEntry(entry) === undefined).map(nameEntry);
  }

  matches({ hostname, protocol, port: given }: Pick<URL, 'hostname' | 'protocol' | 'port'>): boolean {
    if (this.#isEveryHost) return true;
    const host = withoutBrackets(hostname.toLowerCase()).replace(/\.$/, '');
    const port = Number(given) || (protocol === 'http:' ? 80 : 443);
    const isPort = (entry: { readonly port: number | undefined }) => entry.port === undefined || entry.port === port;
    const version = isIP(host);
    if (version !== 0) {
      const family = version === 6 ? 'ipv6' : 'ipv4';
      return this.#networks.some((entry) => isPort(entry) && entry.network.check(host, family));
    }
    return this.#names.some((entry) => isPort(entry) && (host === entry.name || host.endsWith(`.${entry.name}`)));
  }
}

/** `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1:8080`, `::1`, `fc00::/7`, `[::1]` or `[::1]:8080`; undefined for any other text. */
function networkEntry(entry: string): NetworkEntry | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  const withPort = /^([^:]+):(\d+)$/.exec(entry);
  const [, text = entry, port] = bracketed ?? withPort ?? [];
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const longest = version === 6 ? 128 : 32;
  const bits = prefix === undefined ? longest : Number(prefix);
  if (prefix === '' || !Number.isInteger(bits) || bits < 0 || bits > longest) return undefined;
  const network = new BlockList();
  network.addSubnet(address, bits, version === 6 ? 'ipv6' : 'ipv4');
  return { network, port: port === undefined ? undefined : Number(port) };
}

function nameEntry(entry: string): NameEntry {
  const [, name = entry, port] = /^(.+):(\d+)$/.exec(entry) ?? [];
  return {
    name: name.replace(/^\*?\./, '').replace(/\.$/, ''),
    port: port === undefined ? undefined : Number(port),
  };
}
