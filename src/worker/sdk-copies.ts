import { dirname } from 'node:path';
import type { NativeConnection, Worker } from '@temporalio/worker';
import { ConfigError } from '../errors.ts';
import { requireOfPackage } from '../package-files.ts';

type SdkPackage = '@temporalio/worker' | '@temporalio/activity';

/** Their constructors are protected. */
type SdkClass = typeof NativeConnection | typeof Worker;

/** Directories of other copies of a package of Temporal's SDK that this process has loaded than the copy of Longhaul. */
export function otherSdkCopies(
  name: SdkPackage,
  loaded: readonly string[] = Object.keys(requireOfPackage.cache),
): string[] {
  const file = `/node_modules/${name}/lib/index.js`;
  const own = requireOfPackage.resolve(name);
  return loaded.filter((path) => path.endsWith(file) && path !== own).map(sdkDirectory);
}

const sdkDirectory = (index: string) => dirname(dirname(index));

/**
 * A value of one copy of the SDK is unusable in another copy. The SDK itself reports this as `failed to downcast any to
 * neon…`, or not at all.
 *
 * @param value must be an instance of `type`, of Longhaul's copy
 * @throws ConfigError that names both copies
 */
export function assertOwnSdk(value: unknown, type: SdkClass, what: string): void {
  if (value instanceof type) return;
  const { name } = (value as object | null | undefined)?.constructor ?? {};
  if (name !== type.name) throw new ConfigError(`${what} must be a ${type.name} of @temporalio/worker`);
  throw new ConfigError(secondCopy('@temporalio/worker', otherSdkCopies('@temporalio/worker')));
}

/** @throws ConfigError if the process has loaded a second copy of the package */
export function assertOneCopy(name: SdkPackage): void {
  const others = otherSdkCopies(name);
  if (others.length > 0) throw new ConfigError(secondCopy(name, others));
}

function secondCopy(name: SdkPackage, others: readonly string[]): string {
  const own = sdkDirectory(requireOfPackage.resolve(name));
  const list = others.length > 0 ? others.join(' and ') : 'another directory';
  return (
    `this process uses two copies of ${name}: Longhaul uses ${own}, your code uses ${list}. ` +
    `Install one version of all @temporalio packages that Longhaul accepts, then run "npm ls ${name}" to check`
  );
}
