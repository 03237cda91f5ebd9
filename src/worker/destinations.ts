import { ConfigError } from '../errors.ts';
import { DefaultProfile, type DestinationProfile } from '../destinations/profile.ts';
import type { Pace } from '../destinations/http/multipart-part.ts';
import type { KeyProvider } from '../destinations/keys/key-provider.ts';
import type { AroundCall } from '../destinations/http/http.ts';
import {
  UploadsClient,
  type FilesPermits,
  type PartPlacesOf,
  type UploadsClientOptions,
} from '../destinations/openai.ts';
import type { WatchedKeys } from './key-watch.ts';
import { sharedBudget, type SharedBudgetOptions } from '../pace/shared-budget.ts';

/** Makes the client of a destination, where it is more than the plain one. */
export type CreateUploadsClient = (profile: DestinationProfile, options: UploadsClientOptions) => UploadsClient;

export interface DestinationsOptions {
  /** Where the budgets of requests are kept; without it the service's own limits are the only ones. */
  readonly budget?: SharedBudgetOptions;
  /** Makes what holds the parts of one destination back; without it all are sent at once. */
  readonly places?: () => PartPlacesOf | undefined;
  /** Holds bytes of parts back; undefined: not these. @defaultValue none */
  readonly pace?: Pace;
  /** Runs the calls to one destination. @defaultValue nobody looks at them */
  readonly around?: ((profile: DestinationProfile) => AroundCall | undefined) | undefined;
  /** @defaultValue the plain client */
  readonly create?: CreateUploadsClient | undefined;
}

const createPlainClient: CreateUploadsClient = (profile, options) => new UploadsClient(profile, options);

/** One client a destination, made when it is first asked for, so that a worker needs only the keys it uses. */
export class Destinations {
  readonly #profile: (name: string) => DestinationProfile;
  readonly #options: DestinationsOptions;
  readonly #clients = new Map<string, UploadsClient>();
  readonly #keys = new Map<string, KeyProvider>();

  /**
   * @param profile throws ConfigError for a name that it doesn't know, or a missing key
   */
  constructor(profile: (name: string) => DestinationProfile, options: DestinationsOptions = {}) {
    this.#profile = profile;
    this.#options = options;
  }

  static of(profiles: readonly DestinationProfile[], options?: DestinationsOptions): Destinations {
    const byName = new Map(profiles.map((profile) => [profile.name, profile]));
    return new Destinations((name) => {
      const profile = byName.get(name);
      if (profile) return profile;
      throw new ConfigError(`this worker has no destination "${name}"; it has: ${[...byName.keys()].join(', ')}`);
    }, options);
  }

  /** @throws ConfigError when there is no such destination, or its key is missing */
  readonly get = (name: string): UploadsClient => {
    const existing = this.#clients.get(name);
    if (existing) return existing;
    const profile = this.#profile(name);
    const { places, pace, around, create = createPlainClient } = this.#options;
    const client = create(profile, {
      permits: this.#permits(profile),
      places: places?.(),
      pace,
      around: around?.(profile),
    });
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
      // Its key is missing now, and can be there later.
      return { last: undefined, current: () => this.#laterKey(name) };
    }
  };

  #laterKey(name: string): string | Promise<string> {
    const { apiKey } = this.#profile(name);
    return typeof apiKey === 'string' ? apiKey : apiKey.current();
  }

  #permits({ name, filesRequestsPerMinute }: DestinationProfile): FilesPermits | undefined {
    const perMinute = filesRequestsPerMinute ?? DefaultProfile.filesRequestsPerMinute;
    const { budget } = this.#options;
    return budget && perMinute > 0 ? sharedBudget(budget, name, perMinute) : undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    this.#clients.clear();
  }
}
