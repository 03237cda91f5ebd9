import { fail, ok, type Check } from './check.ts';

/** What package.json says under `engines`. */
const LEAST_NODE = [20, 19] as const;

export function versionsCheck(longhaul: string, node: string): Check {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  const words = `Longhaul ${longhaul}, Node ${node}`;
  const isNewEnough = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  if (isNewEnough) return ok('versions', words);
  return fail('versions', words, `install Node ${LEAST_NODE.join('.')} or later`);
}
