import { ConfigError } from '../errors.ts';
import type { KeyProvider } from '../keys/key-provider.ts';
import { createDestination } from '../destinations/kinds.ts';
import type { CallWatch, Destination, Gate } from '../destinations/port.ts';
import type { DestinationProfile } from '../destinations/profile.ts';
import { profilesProblems } from '../destinations/profile-problems.ts';
import { requestGate } from '../pace/gate.ts';
import type { RequestRateOptions } from '../pace/request-rate.ts';
import type { WatchedKeys } from './key-watch.ts';

export interface DestinationsOptions {
  /** The workers that share the rates of requests to `/files`. Not used with `gate`. @defaultValue requests have no rate */
  readonly requestRate?: RequestRateOptions | undefined;
  /** @defaultValue a gate with the rate of requests only: parts are sent immediately */
  readonly gate?: ((profile: DestinationProfile) => Gate) | undefined;
  /** @defaultValue calls are not watched */
  readonly watch?: ((profile: DestinationProfile) => CallWatch) | undefined;
}

/** One client per destination, created at its first use, so that a worker requires only the keys that it uses. */
export class Destinations {
  readonly #profile: (name: string) => DestinationProfile;
  readonly #options: DestinationsOptions;
  readonly #clients = new Map<string, Destination>();
  readonly #keys = new Map<string, KeyProvider>();

  /**
   * @param profile throws ConfigError for an unknown name, or a missing key
   */
  constructor(profile: (name: string) => DestinationProfile, options: DestinationsOptions = {}) {
    this.#profile = profile;
    this.#options = options;
  }

  /** @throws ConfigError if a destination has no `name`, `baseUrl` or `apiKey`, or a name is repeated */
  static of(profiles: readonly DestinationProfile[], options?: DestinationsOptions): Destinations {
    const problems = profilesProblems(profiles);
    if (problems.length > 0) throw new ConfigError(problems.join('; '));
    const byName = new Map(profiles.map((profile) => [profile.name, profile]));
    return new Destinations((name) => {
      const profile = byName.get(name);
      if (profile) return profile;
      throw new ConfigError(`this worker has no destination "${name}"; it has: ${[...byName.keys()].join(', ')}`);
    }, options);
  }

  /** @throws ConfigError if the destination is unknown, or its key is missing */
  readonly get = (name: string): Destination => {
    const existing = this.#clients.get(name);
    if (existing) return existing;
    const profile = this.#profile(name);
    const { requestRate, gate = (one) => requestGate(requestRate, one), watch } = this.#options;
    const client = createDestination(profile, { gate: gate(profile), watch: watch?.(profile) });
    this.#clients.set(name, client);
    return client;
  };

  /** The keys of a destination; undefined if they never change. */
  readonly keysOf = (name: string): WatchedKeys | undefined => {
    const known = this.#keys.get(name);
    if (known) return known;
    try {
      const { apiKey } = this.#profile(name);
      if (typeof apiKey === 'string') return undefined;
      this.#keys.set(name, apiKey);
      return apiKey;
    } catch {
      // Its key is missing now, and can be set later.
      return { last: undefined, current: () => this.#laterKey(name) };
    }
  };

  #laterKey(name: string): string | Promise<string> {
    const { apiKey } = this.#profile(name);
    return typeof apiKey === 'string' ? apiKey : apiKey.current();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    this.#clients.clear();
  }
}
