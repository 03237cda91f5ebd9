import { createRequire } from 'node:module';

let version: string | undefined;

/** The version of this package. */
export function longhaulVersion(): string {
  // By its own name, so that the sources and the built files find the same file.
  version ??= (createRequire(import.meta.url)('longhaul/package.json') as { version: string }).version;
  return version;
}

/** `User-Agent` of all requests to services and sources. Headers of a destination can replace it. */
export function userAgent(): string {
  return `longhaul/${longhaulVersion()} node/${process.versions.node}`;
}
