import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ConfigError, SourceForbiddenError, SourceNotNamedError } from '../../errors.ts';
import { matchesAny, notPermitted } from '../permission.ts';
import type { HttpSettings, NamedSettings } from '../source-settings.ts';

/**
 * Networks that no caller may make a worker talk to: they are this host, its neighbours, or the metadata service of a cloud.
 * From IANA's registries of special-purpose addresses.
 */
const special: Readonly<Record<'ipv4' | 'ipv6', readonly string[]>> = {
  ipv4: [
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    // Azure's own services for a virtual machine, in the midst of public addresses.
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
  ],
  ipv6: [
    // With the obsolete forms of IPv4 addresses (::127.0.0.1, ::ffff:0:127.0.0.1); BlockList itself knows ::ffff:127.0.0.1.
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
  ],
};

/** Which hosts and addresses a source may be read from. */
export class AddressPolicy {
  readonly #hosts: readonly string[] | undefined;
  readonly #private = new BlockList();
  readonly #allowed = new BlockList();
  readonly #allowedNames: readonly string[];
  readonly #named: NamedSettings;
  readonly #lookup: typeof lookup;

  /**
   * @param resolve for tests
   * @throws ConfigError for a network that is none
   */
  constructor(
    { hosts, allowPrivate = [] }: HttpSettings = {},
    named: NamedSettings = {},
    resolve: typeof lookup = lookup,
  ) {
    this.#named = named;
    this.#hosts = hosts?.map(plainHost);
    this.#lookup = resolve;
    for (const network of [...special.ipv4, ...special.ipv6]) addNetwork(this.#private, network);
    const isNetwork = (entry: string) => isIP(entry.split('/')[0] as string) !== 0;
    for (const network of allowPrivate.filter(isNetwork)) addNetwork(this.#allowed, network);
    this.#allowedNames = allowPrivate.filter((entry) => !isNetwork(entry)).map(plainHost);
  }

  /**
   * Checks a URL as a caller wrote it, or as a redirect leads to it. Addresses behind a name are checked when it is
   * connected to, see `lookup`.
   *
   * @param isNamed by a command, or what it named redirects there: no list has to have the host
   * @throws SourceForbiddenError, SourceNotNamedError
   */
  assertUrl(url: URL, isNamed = false): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new SourceForbiddenError(`${url.protocol} addresses can't be read; http: and https: can`);
    }
    // `URL` has turned decimal, octal and hexadecimal forms into the usual one.
    const host = plainHost(url.hostname);
    if (!isNamed && this.#hosts && !matchesAny(host, this.#hosts)) {
      throw notPermitted(`the HTTP host ${host}`, '--http-host', host, this.#named);
    }
    const address = host.replace(/^\[|\]$/g, '');
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
    if (this.#hosts || isIP(host.replace(/^\[|\]$/g, '')) !== 0 || matchesAny(host, this.#allowedNames)) return;
    throw new SourceForbiddenError(
      `${host} is reached through a proxy, so its address cannot be checked. List it under "sources.http.hosts" in the configuration.`,
    );
  }

  /** For connecting: refuses a name that leads to a private address, whatever it led to before. */
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
    // BlockList finds no address that names its interface (fe80::1%eth0).
    const address = scoped.replace(/%.*$/, '');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (!this.#private.check(address, family)) return;
    if (this.#allowed.check(address, family) || matchesAny(host, this.#allowedNames)) return;
    const what = host === address || host === `[${address}]` ? host : `${host} leads to ${address}, which`;
    const message = `${what} is a private or local address; list it under "sources.http.allowPrivate" in the configuration to allow it`;
    // Another command may have another configuration.
    throw this.#named.isOfCommand ? new SourceNotNamedError(message) : new SourceForbiddenError(message);
  }
}

/** A dot at the end changes nothing about where a name leads. */
function plainHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', prefix] = network.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  try {
    // IPv4 addresses that are written as IPv6 ones (::ffff:127.0.0.1) are found by Node itself.
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  } catch (error) {
    throw new ConfigError(`${network} is no network such as 10.0.0.0/8`, { cause: error });
  }
}
