import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { extraCaFile } from '../config/extra-ca.ts';

let roots: readonly string[] | undefined;

/** The certificates that Node.js trusts, with those of `NODE_EXTRA_CA_CERTS`: `ca` would replace both. */
export function trustedRoots(): readonly string[] {
  roots ??= defaultRoots();
  return roots;
}

function defaultRoots(): readonly string[] {
  // Since Node.js 22.15.
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates) return getCACertificates('default');
  const path = extraCaFile();
  if (path === undefined) return tls.rootCertificates;
  try {
    return [...tls.rootCertificates, readFileSync(path, 'utf8')];
  } catch {
    // Node.js has printed a warning about this file at its start.
    return tls.rootCertificates;
  }
}
