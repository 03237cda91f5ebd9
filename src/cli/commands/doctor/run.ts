import { Defaults } from '../../../contracts/limits.ts';
import type { CliContext } from '../../context.ts';
import { describeCheck, type Check, fail, ok } from './check.ts';
import { clockCheck, destinationChecks } from './destination-checks.ts';
import { headerChecks, sourceCheck } from './source-check.ts';
import { temporalChecks } from './temporal-checks.ts';
import { SaidAlready } from '../../errors/exit.ts';
import { longhaulVersion } from '../../../longhaul-version.ts';

export interface DoctorCommandOptions {
  readonly destination?: string;
  readonly connection?: string;
  readonly json?: boolean;
}

/** Looks at all that an upload needs, and changes nothing. Fails when one of the checks does; warnings don't. */
export async function doctorCommand(
  context: CliContext,
  source: string | undefined,
  options: DoctorCommandOptions,
): Promise<void> {
  const { config, out } = context;
  const [temporal, destinations, clock, headers, ofSource] = await Promise.all([
    temporalChecks(context, options.destination ?? Defaults.destination),
    destinationChecks(config),
    clockCheck(config),
    headerChecks(config),
    source === undefined ? [] : sourceCheck(config, source, options.connection),
  ]);
  const checks: Check[] = [
    versionsCheck(longhaulVersion(), process.versions.node),
    ...temporal,
    ...destinations,
    clock,
    ...headers,
    ...[ofSource].flat(),
  ];
  const healthy = checks.every(({ status }) => status !== 'fail');
  if (options.json) context.json({ healthy, checks });
  else checks.map(describeCheck).forEach(out);
  if (!healthy) throw new SaidAlready();
}

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
