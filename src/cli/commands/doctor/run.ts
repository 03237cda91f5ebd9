import { findDestination } from '../../../config/destinations.ts';
import { Defaults } from '../../../contracts/limits.ts';
import { isVersionFrom } from '../../../core/text/version.ts';
import { ConfigError } from '../../../errors.ts';
import type { CliContext } from '../../context.ts';
import { connectionProblem } from '../../options/request-options.ts';
import { describeCheck, type Check, fail, type Finding, ok } from './check.ts';
import { clockCheck, destinationChecks } from './destination-checks.ts';
import { headerChecks, sourceCheck } from './source-check.ts';
import { temporalChecks } from './temporal-checks.ts';
import { AlreadyReported } from '../../errors.ts';
import { longhaulVersion } from '../../../longhaul-version.ts';

interface DoctorCommandOptions {
  readonly destination?: string;
  readonly connection?: string;
  readonly json?: boolean;
}

/** Checks everything that an upload needs, without changes. Fails if one of the checks fails; warnings do not count. */
export async function doctorCommand(
  context: CliContext,
  source: string | undefined,
  options: DoctorCommandOptions,
): Promise<void> {
  const { config, out } = context;
  const problem = connectionProblem(options.connection, source === undefined ? [] : [source]);
  if (problem !== undefined) throw new ConfigError(problem);
  // The workers of a cluster can have other destinations.
  if (!config.temporal && options.destination !== undefined) findDestination(config, options.destination);
  const [temporal, destinations, clock, headers, ofSource] = await Promise.all([
    temporalChecks(context, options.destination ?? Defaults.destination),
    destinationChecks(config),
    clockCheck(config),
    headerChecks(config),
    source === undefined
      ? []
      : sourceCheck(config, source, { ...options, destination: options.destination ?? Defaults.destination }),
  ]);
  const checks: Check[] = [
    { name: 'versions', ...versionsCheck(longhaulVersion(), process.versions.node) },
    ...temporal,
    ...destinations,
    clock,
    ...headers,
    ...[ofSource].flat(),
  ];
  const healthy = checks.every(({ status }) => status !== 'fail');
  if (options.json) context.json({ healthy, checks });
  else checks.map(describeCheck).forEach(out);
  if (!healthy) throw new AlreadyReported();
}

/** Minimum version, as in `engines` of package.json. */
const MIN_NODE = '20.19';

export function versionsCheck(longhaul: string, node: string): Finding {
  const versions = `Longhaul ${longhaul}, Node.js ${node}`;
  if (isVersionFrom(node, MIN_NODE)) return ok(versions);
  return fail(versions, `install Node.js ${MIN_NODE} or later`);
}
