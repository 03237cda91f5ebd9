import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ConfigError, SourceForbiddenError, SourceNotNamedError } from '../../errors.ts';
import { matchesAny, notPermitted, type HttpSettings, type NamedSettings } from '../source-settings.ts';
import { withoutBrackets } from '../../network/url.ts';

/**
 * Networks to which no caller can make a worker connect: this host, its neighbours, or the metadata service of a cloud.
 * From IANA's registries of special-purpose addresses.
 */
const SPECIAL = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Azure's services for a virtual machine, among public addresses.
  '168.63.129.16',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // With the obsolete forms of IPv4 addresses (::127.0.0.1, ::ffff:0:127.0.0.1). BlockList handles ::ffff:127.0.0.1.
  '::/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/** Decides from which hosts and addresses a source can be read. */
export class AddressPolicy {
  readonly #hosts: readonly string[] | undefined;
  readonly #private = new BlockList();
  readonly #allowed = new BlockList();
  readonly #allowedNames: readonly string[];
  readonly #named: NamedSettings;
  readonly #lookup: typeof lookup;

  /**
   * @param resolve for tests
   * @throws ConfigError if a network is invalid
   */
  constructor(
    { hosts, allowPrivate = [] }: HttpSettings = {},
    named: NamedSettings = {},
    resolve: typeof lookup = lookup,
  ) {
    this.#named = named;
    this.#hosts = hosts?.map(plainHost);
    this.#lookup = resolve;
    for (const network of SPECIAL) addNetwork(this.#private, network);
    const isNetwork = (entry: string) => isIP(entry.split('/')[0] as string) !== 0;
    for (const network of allowPrivate.filter(isNetwork)) addNetwork(this.#allowed, network);
    this.#allowedNames = allowPrivate.filter((entry) => !isNetwork(entry)).map(plainHost);
  }

  /**
   * Checks a URL of a caller or of a redirect. The addresses of a name are checked when a connection is made (`lookup`).
   *
   * @param isNamed whether a command named it, or a URL that redirects to it, so that no list must contain the host
   * @throws SourceForbiddenError, SourceNotNamedError
   */
  assertUrl(url: URL, isNamed = false): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new SourceForbiddenError(`cannot read ${url.protocol} URLs. Use an http: or https: URL.`);
    }
    // `URL` has normalised decimal, octal and hexadecimal forms.
    const host = plainHost(url.hostname);
    if (!isNamed && this.#hosts && !matchesAny(host, this.#hosts)) {
      throw notPermitted(`the HTTP host ${host}`, '--http-host', host, this.#named);
    }
    const address = withoutBrackets(host);
    if (isIP(address) !== 0) this.#assertAddress(host, address);
  }

  /**
   * Checks a URL that is read through a proxy. The proxy resolves the name, so `lookup` cannot check the address: the host
   * itself must be listed.
   *
   * @throws SourceForbiddenError
   */
  assertListed(url: URL): void {
    const host = url.hostname.toLowerCase();
    // `assertUrl` has checked it.
    if (this.#hosts || isIP(withoutBrackets(host)) !== 0 || matchesAny(host, this.#allowedNames)) return;
    throw new SourceForbiddenError(
      `cannot read from ${host}: it is behind a proxy, so that its address cannot be checked. List it under "sources.http.hosts" in the configuration.`,
    );
  }

  /** For connections: rejects a name that resolves to a private address now. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      try {
        for (const { address } of addresses) this.#assertAddress(plainHost(hostname), address);
      } catch (refusal) {
        return callback(refusal as NodeJS.ErrnoException, '', 0);
      }
      const [first] = addresses;
      if (options.all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
  };

  #assertAddress(host: string, scoped: string): void {
    // BlockList does not match an address with an interface (fe80::1%eth0).
    const address = scoped.replace(/%.*$/, '');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (!this.#private.check(address, family)) return;
    if (this.#allowed.check(address, family) || matchesAny(host, this.#allowedNames)) return;
    const what = host === address || host === `[${address}]` ? host : `${host} resolves to ${address}, which`;
    const message = `${what} is a private or local address. To permit it, list it under "sources.http.allowPrivate" in the configuration.`;
    // Another command can have another configuration.
    throw this.#named.isOfCommand ? new SourceNotNamedError(message) : new SourceForbiddenError(message);
  }
}

/** A name with a dot at the end resolves to the same address. */
function plainHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', prefix] = network.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  try {
    // Node.js finds IPv4 addresses that are written as IPv6 addresses (::ffff:127.0.0.1).
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  } catch (error) {
    throw new ConfigError(`"${network}" is not a network. Use a network such as 10.0.0.0/8.`, { cause: error });
  }
}
