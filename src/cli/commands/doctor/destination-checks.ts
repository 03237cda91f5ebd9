import type { Config } from '../../../config/config.ts';
import { requireDestination, withNetwork, type DestinationConfig } from '../../../config/destinations.ts';
import { ApiError } from '../../../errors.ts';
import type { DestinationProfile } from '../../../destinations/profile.ts';
import { serviceTime, type ServiceTime } from '../../../destinations/service-time.ts';
import { createDestination } from '../../../destinations/kinds.ts';
import { problemOf } from '../../checks/check-jobs.ts';
import { CHECK_LIMIT_MS, checked, fail, ok, warn, type Check, type Finding } from './check.ts';

export async function destinationChecks(config: Config): Promise<readonly Check[]> {
  const names = [...config.destinations.keys()];
  return Promise.all(
    names.map((name) => checked(`destination ${name}`, () => checkDestination(config, name, names.length === 1))),
  );
}

async function checkDestination(config: Config, name: string, isOnly: boolean): Promise<Finding> {
  const { apiKey, apiKeyFrom, apiKeyProblem, baseUrl, keys } = config.destinations.get(name) as DestinationConfig;
  // The call below runs the key command.
  if (!apiKey && (!keys || apiKeyProblem)) {
    const message = `${baseUrl}: ${apiKeyProblem ?? `no key in ${apiKeyFrom}`}`;
    const fix = apiKeyProblem ? 'fix that file' : `set ${apiKeyFrom}`;
    if (config.temporal)
      return warn(`${message}. Not checked, because only the workers have the key`, `${fix} to check it from here`);
    return isOnly ? fail(message, fix) : warn(message, fix);
  }
  return queryDestination(requireDestination(config, name));
}

async function queryDestination(profile: DestinationProfile): Promise<Finding> {
  const client = createDestination(profile);
  try {
    await client.files.list({ limit: 1 }, { timeoutMs: CHECK_LIMIT_MS - 500 });
    return ok(`${profile.baseUrl} accepts the key`);
  } catch (error) {
    const problem = problemOf(error, profile);
    if (problem) return fail(`${profile.baseUrl} ${problem}`);
    if (!(error instanceof ApiError)) throw error;
    const { status } = error.details;
    if (status === 403) {
      const fix = 'grant the key read access to Files: a sync, or a completion whose response was lost, lists them';
      return warn(`${profile.baseUrl} denies the key access to the list of Files: ${error.message}`, fix);
    }
    if (error.retryable)
      return warn(
        `${profile.baseUrl} is temporarily unavailable: ${error.message}`,
        'run "longhaul doctor" again later',
      );
    return fail(`${profile.baseUrl}: ${error.message}`, 'check the base URL');
  } finally {
    await client.close();
  }
}

/** Compares the clock with that of the first destination that sends its time. */
export function clockCheck(config: Config): Promise<Check> {
  return checked('clock', async (signal) => {
    for (const profile of config.destinations.values()) {
      const time = await serviceTime(withNetwork(config, profile), signal).catch(() => undefined);
      if (time) return judgeClock(new URL(profile.baseUrl).host, time);
    }
    return warn('not compared, because no destination sent its time');
  });
}

const MAX_SKEW_MS = 30_000;

export function judgeClock(host: string, { serviceMs, hereMs }: ServiceTime): Finding {
  // The header has whole seconds.
  const aheadMs = hereMs - (serviceMs + 500);
  if (Math.abs(aheadMs) <= MAX_SKEW_MS) return ok(`within ${Math.ceil(Math.abs(aheadMs) / 1000)} s of ${host}`);
  const message = `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${host}. Workers check certificates and the expiry of tokens with this clock`;
  return warn(message, 'set the clock of this machine (NTP)');
}
