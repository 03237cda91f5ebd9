import type { Config } from '../../../config/config.ts';
import { requireDestination, withNetwork, type DestinationConfig } from '../../../config/destinations.ts';
import { ApiError } from '../../../errors.ts';
import type { DestinationProfile } from '../../../destinations/profile.ts';
import { serviceTime, type ServiceTime } from '../../../destinations/service-time.ts';
import { createDestination } from '../../../destinations/kinds.ts';
import { problemOf } from '../../checks/check-destination.ts';
import { CHECK_LIMIT_MS, checked, fail, ok, warn, type Check } from './check.ts';

/** Each destination that this configuration has, with its key. */
export async function destinationChecks(config: Config): Promise<readonly Check[]> {
  const names = [...config.destinations.keys()];
  return Promise.all(
    names.map((name) => checked(`destination ${name}`, () => checkDestination(config, name, names.length === 1))),
  );
}

async function checkDestination(config: Config, name: string, isOnly: boolean): Promise<Check> {
  const label = `destination ${name}`;
  const { apiKey, apiKeyFrom, apiKeyProblem, baseUrl, keys } = config.destinations.get(name) as DestinationConfig;
  // The key of a command is found out by the call.
  if (!apiKey && (!keys || apiKeyProblem)) {
    const message = `${baseUrl}: ${apiKeyProblem ?? `no key in ${apiKeyFrom}`}`;
    const fix = apiKeyProblem ? 'fix that file' : `set ${apiKeyFrom}`;
    if (config.temporal)
      return warn(label, `${message}; not asked, as the workers hold theirs`, `${fix} to have it asked`);
    return isOnly ? fail(label, message, fix) : warn(label, message, fix);
  }
  return askDestination(label, requireDestination(config, name));
}

async function askDestination(label: string, profile: DestinationProfile): Promise<Check> {
  const client = createDestination(profile);
  try {
    await client.files.list({ limit: 1 }, { timeoutMs: CHECK_LIMIT_MS - 500 });
    return ok(label, `${profile.baseUrl} takes the key`);
  } catch (error) {
    const problem = problemOf(error);
    if (problem) return fail(label, `${profile.baseUrl} ${problem}`);
    if (!(error instanceof ApiError)) throw error;
    const { status } = error.details;
    if (status === 403) {
      const fix = 'let the key read files: syncs and completions whose answers were lost look there';
      return warn(label, `${profile.baseUrl} does not let the key list files: ${error.message}`, fix);
    }
    if (error.retryable) return warn(label, `${profile.baseUrl} is not ready: ${error.message}`, 'look again later');
    return fail(label, `${profile.baseUrl}: ${error.message}`, 'check the base URL');
  } finally {
    await client.close();
  }
}

/** Against the first destination that tells its time: it is by this clock that workers see a session's end coming. */
export function clockCheck(config: Config): Promise<Check> {
  return checked('clock', async (signal) => {
    for (const profile of config.destinations.values()) {
      const time = await serviceTime(withNetwork(config, profile), signal).catch(() => undefined);
      if (time) return judgeClock(new URL(profile.baseUrl).host, time);
    }
    return warn('clock', 'was not compared: no destination told its time');
  });
}

const MOST_SKEW_MS = 30_000;

export function judgeClock(host: string, { serviceMs, hereMs }: ServiceTime): Check {
  // The header tells whole seconds.
  const aheadMs = hereMs - (serviceMs + 500);
  if (Math.abs(aheadMs) <= MOST_SKEW_MS)
    return ok('clock', `within ${Math.ceil(Math.abs(aheadMs) / 1000)} s of ${host}`);
  const message = `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${host}: the end of sessions is judged by it`;
  return warn('clock', message, 'set the clock of this machine (NTP)');
}
