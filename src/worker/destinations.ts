import { ConfigError } from '../errors.ts';
import type { DestinationProfile } from '../openai/destination-profile.ts';
import { UploadsClient } from '../openai/uploads-client.ts';

/** One client a destination, made when it is first asked for, so that a worker needs only the keys it uses. */
export class Destinations {
  readonly #profile: (name: string) => DestinationProfile;
  readonly #clients = new Map<string, UploadsClient>();

  /** @param profile throws ConfigError for a name that it doesn't know, or a missing key */
  constructor(profile: (name: string) => DestinationProfile) {
    this.#profile = profile;
  }

  static of(profiles: readonly DestinationProfile[]): Destinations {
    const byName = new Map(profiles.map((profile) => [profile.name, profile]));
    return new Destinations((name) => {
      const profile = byName.get(name);
      if (profile) return profile;
      throw new ConfigError(`this worker has no destination "${name}"; it has: ${[...byName.keys()].join(', ')}`);
    });
  }

  /** @throws ConfigError when there is no such destination, or its key is missing */
  readonly get = (name: string): UploadsClient => {
    const existing = this.#clients.get(name);
    if (existing) return existing;
    const client = new UploadsClient(this.#profile(name));
    this.#clients.set(name, client);
    return client;
  };

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    this.#clients.clear();
  }
}
