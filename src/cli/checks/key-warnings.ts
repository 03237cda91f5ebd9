import { statSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Config } from '../../config/config.ts';
import type { DestinationConfig } from '../../config/destinations.ts';
import { AddressPolicy } from '../../sources/http/address-policy.ts';
import { withoutBrackets } from '../../network/url.ts';

const OTHERS_READ = 0o004;
const GROUP_READ = 0o040;

/**
 * Returns warnings about the key of a destination: a key file that other users can read, and an unencrypted connection.
 * Private networks are excluded, because their gateways often have no TLS.
 *
 * @param addressesOf for tests
 */
export async function keyWarnings(
  { name, baseUrl, apiKey, apiKeyPath, keys }: DestinationConfig,
  addressesOf = resolveHost,
): Promise<string[]> {
  if (!apiKey && !keys) return [];
  const warnings: string[] = [];
  if (apiKeyPath !== undefined) warnings.push(...fileWarnings(apiKeyPath));
  const { protocol, hostname, host } = new URL(baseUrl);
  if (protocol === 'http:' && (await isPublic(hostname, addressesOf))) {
    warnings.push(`the key of destination "${name}" is sent unencrypted to ${host}. Set an https:// base URL.`);
  }
  return warnings;
}

/** Returns a warning if other users can read a file with a secret. */
export function fileWarnings(path: string): string[] {
  if (!isReadableByOthers(path)) return [];
  return [`other users of this machine can read the key file ${path}. Run "chmod 600 ${path}".`];
}

/** Group access to another user's file is intended: this process needs it to read the file. */
function isReadableByOthers(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  const ownUid = process.getuid?.();
  if (!stats || ownUid === undefined) return false;
  const bits = stats.uid === ownUid ? OTHERS_READ | GROUP_READ : OTHERS_READ;
  return (stats.mode & bits) !== 0;
}

async function resolveHost(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

/** Returns whether a host is public. A name that does not resolve here counts as public, except for local names. */
async function isPublic(hostname: string, addressesOf: typeof resolveHost): Promise<boolean> {
  const host = withoutBrackets(hostname);
  const addresses = isIP(host) === 0 ? await addressesOf(host).catch(() => undefined) : [host];
  if (!addresses) return host.includes('.') && !/\.(local|internal|lan|localhost|home\.arpa)$/i.test(host);
  const policy = new AddressPolicy();
  return addresses.some((address) => {
    try {
      policy.assertUrl(new URL(`http://${isIP(address) === 6 ? `[${address.replace(/%.*$/, '')}]` : address}/`));
      return true;
    } catch {
      return false;
    }
  });
}

const said = new Set<string>();

/** Prints each warning once in this process. */
export async function warnOfKey(config: Config, name: string, note: (line: string) => void): Promise<void> {
  const destination = config.destinations.get(name);
  for (const warning of destination ? await keyWarnings(destination) : []) {
    if (said.has(warning)) continue;
    said.add(warning);
    note(`longhaul: warning: ${warning}`);
  }
}
