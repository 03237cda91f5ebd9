import * as z from 'zod';
import { destinationSchema } from './destinations.ts';
import { sourcesSchema } from './sources.ts';
import { described, hostName, text } from './values.ts';

/** The config file. `npm run docs-tables` writes the descriptions to docs/configuration.md and docs/sources.md. */
export const configFileSchema = z.strictObject({
  $schema: described(z.string(), 'address of the JSON Schema of this file, for editors. Longhaul ignores it'),
  host: described(
    hostName,
    '[name of this machine](sources.md#the-host-of-a-file), as `LONGHAUL_HOST`; default: the host name, or the name in the state directory',
  ),
  destinations: described(z.record(text, destinationSchema), 'services by name. `default` is the default destination'),
  sources: described(sourcesSchema, '[sources](sources.md#configuration) that may be read, and how'),
});

/** JSON Schema of the config file, for editors. Programs should not check values with it: Longhaul checks more. */
export function configFileJsonSchema(): object {
  return z.toJSONSchema(configFileSchema, { io: 'input', unrepresentable: 'any' });
}
