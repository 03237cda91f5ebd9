import { readFileSync } from 'node:fs';
import { packageFiles } from './package-files.ts';

let version: string | undefined;

/** The version of this package. */
export function longhaulVersion(): string {
  version ??= (JSON.parse(readFileSync(packageFiles.manifest, 'utf8')) as { version: string }).version;
  return version;
}

/** `User-Agent` of all requests to services and sources. Headers of a destination can replace it. */
export function userAgent(): string {
  return `longhaul/${longhaulVersion()} node/${process.versions.node}`;
}
