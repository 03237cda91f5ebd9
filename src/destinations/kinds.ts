import { ConfigError } from '../errors.ts';
import { createAzureDestination } from './azure.ts';
import { OpenAiDestination } from './openai.ts';
import type { Destination, DestinationOptions } from './port.ts';
import { DefaultProfile, type DestinationKind, type DestinationProfile } from './profile.ts';

type CreateDestination = (profile: DestinationProfile, options: DestinationOptions) => Destination;

/** A new kind is one file, one name in `DESTINATION_KINDS` and one row here. */
const kinds: Readonly<Record<DestinationKind, CreateDestination>> = {
  openai: (profile, options) => new OpenAiDestination(profile, options),
  azure: createAzureDestination,
};

/** @throws ConfigError if the profile cannot be used */
export function createDestination(profile: DestinationProfile, options: DestinationOptions = {}): Destination {
  const { name, kind = DefaultProfile.kind } = profile;
  if (Object.hasOwn(kinds, kind)) return kinds[kind](profile, options);
  throw new ConfigError(`destination "${name}": "kind" must be one of ${Object.keys(kinds).join(', ')}`);
}
