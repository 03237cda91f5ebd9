import { ConfigError } from '../errors.ts';
import { DefaultProfile, type DestinationProfile } from '../openai/destination-profile.ts';
import { UploadsClient, type FilesPermits } from '../openai/uploads-client.ts';
import { sharedBudget, type SharedBudgetOptions } from './shared-budget.ts';

/** Makes the client of a destination, where it is more than the plain one. */
export type CreateUploadsClient = (profile: DestinationProfile, permits?: FilesPermits) => UploadsClient;

const createPlainClient: CreateUploadsClient = (profile, permits) => new UploadsClient(profile, permits);

/** One client a destination, made when it is first asked for, so that a worker needs only the keys it uses. */
export class Destinations {
  readonly #profile: (name: string) => DestinationProfile;
  readonly #budget: SharedBudgetOptions | undefined;
  readonly #create: CreateUploadsClient;
  readonly #clients = new Map<string, UploadsClient>();

  /**
   * @param profile throws ConfigError for a name that it doesn't know, or a missing key
   * @param budget where the budgets of requests are kept; without it the service's own limits are the only ones
   */
  constructor(
    profile: (name: string) => DestinationProfile,
    budget?: SharedBudgetOptions,
    create: CreateUploadsClient = createPlainClient,
  ) {
    this.#profile = profile;
    this.#budget = budget;
    this.#create = create;
  }

  static of(
    profiles: readonly DestinationProfile[],
    budget?: SharedBudgetOptions,
    create?: CreateUploadsClient,
  ): Destinations {
    const byName = new Map(profiles.map((profile) => [profile.name, profile]));
    return new Destinations(
      (name) => {
        const profile = byName.get(name);
        if (profile) return profile;
        throw new ConfigError(`this worker has no destination "${name}"; it has: ${[...byName.keys()].join(', ')}`);
      },
      budget,
      create,
    );
  }

  /** @throws ConfigError when there is no such destination, or its key is missing */
  readonly get = (name: string): UploadsClient => {
    const existing = this.#clients.get(name);
    if (existing) return existing;
    const profile = this.#profile(name);
    const client = this.#create(profile, this.#permits(profile));
    this.#clients.set(name, client);
    return client;
  };

  #permits({ name, filesRequestsPerMinute }: DestinationProfile): FilesPermits | undefined {
    const perMinute = filesRequestsPerMinute ?? DefaultProfile.filesRequestsPerMinute;
    return this.#budget && perMinute > 0 ? sharedBudget(this.#budget, name, perMinute) : undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    this.#clients.clear();
  }
}
