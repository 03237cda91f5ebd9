import { ConfigError } from '../errors.ts';
import { azureAddress } from './azure-address.ts';
import { KeyCommand } from '../keys/key-command.ts';
import { OpenAiDestination } from './openai.ts';
import type { Destination, DestinationOptions } from './port.ts';
import type { DestinationProfile } from './profile.ts';

/**
 * Azure OpenAI: the routes of OpenAI at another address and with other limits. A key is sent in `api-key`. A key command
 * prints an Entra token, which is sent as a bearer token, unless `authHeader` is set.
 *
 * @throws ConfigError if the address or the API version cannot be used
 */
export function createAzureDestination(profile: DestinationProfile, options: DestinationOptions): Destination {
  const { name, apiKey: key, authHeader = key instanceof KeyCommand ? 'authorization' : 'api-key', query } = profile;
  const address = azureAddress(profile);
  if ('problem' in address) throw new ConfigError(`destination "${name}": ${address.setting} ${address.problem}`);
  const { baseUrl, apiVersion } = address;
  const versioned = apiVersion === undefined ? query : { ...query, 'api-version': apiVersion };
  return new OpenAiDestination({ ...profile, baseUrl, authHeader, query: versioned }, options);
}
