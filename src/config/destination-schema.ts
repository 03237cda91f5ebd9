import * as z from 'zod';
import { keyCommandSchema } from './api-key.ts';
import { hasWholeClientCertificate, networkFields, WHOLE_CLIENT_CERTIFICATE } from './network.ts';
import { baseUrl, described, text, wholeNumber } from './values.ts';
import { Limits } from '../contracts/limits.ts';
import { azureAddress, type AddressProblem } from '../destinations/azure-address.ts';
import { DESTINATION_KINDS } from '../destinations/profile.ts';

export const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

const fileLimits = {
  maxFileBytes: described(wholeNumber(1, Limits.settableFileBytes), 'maximum bytes of a File'),
  maxLines: described(wholeNumber(0, Number.MAX_SAFE_INTEGER), 'maximum lines of a File, 0 for no limit'),
  extensions: described(
    z.array(text.startsWith('.', 'must start with a dot, such as ".jsonl"')),
    'endings, one of which the name of a File must have, such as `.jsonl`',
  ),
};

const partBytes = wholeNumber(Limits.minPartSizeBytes, Limits.settablePartSizeBytes);

const limitsField = z
  .strictObject({
    ...fileLimits,
    minPartSizeBytes: described(partBytes, 'minimum bytes of a part'),
    maxPartSizeBytes: described(partBytes, 'maximum bytes of a part'),
    sessionSeconds: described(
      wholeNumber(60, 365 * 86_400),
      'lifetime of a session if the response does not contain it',
    ),
    purposes: described(z.record(text, z.strictObject(fileLimits)), 'limits of single purposes, by name'),
  })
  .refine(
    ({ minPartSizeBytes: least = 0, maxPartSizeBytes: most = Infinity }) => least <= most,
    'must not have a minPartSizeBytes above its maxPartSizeBytes',
  );

const destinationFields = z.strictObject({
  kind: described(
    z.enum(DESTINATION_KINDS),
    'kind of service: `azure` for [Azure OpenAI](#azure-openai), or `openai` for OpenAI and services with the same routes; default: `openai`',
  ),
  baseUrl: described(
    baseUrl,
    'base URL with the version, required for `openai`; default: for `azure`, the address of `resource`',
  ),
  resource: described(text, 'name of the resource, only for `azure`, instead of `baseUrl`'),
  apiVersion: described(text, '[API version](#azure-openai), only for `azure`; default: `v1`'),
  apiKeyEnv: described(
    text,
    'name of the variable that contains the key. The same name with `_FILE` after it contains the path of a key file; default: `OPENAI_API_KEY`, for `azure` `AZURE_OPENAI_API_KEY`',
  ),
  apiKeyFile: described(
    text.startsWith('/', 'must be an absolute path'),
    'absolute path of a key file. See [Keys that change](#keys-that-change)',
  ),
  apiKeyCommand: described(
    keyCommandSchema,
    'program and arguments that print the key, or an object with `command`, `ttlSeconds`, `timeoutSeconds` and `environment`. See [Keys that change](#keys-that-change)',
  ),
  authHeader: described(
    z.enum(['authorization', 'api-key']),
    'header of the key. `authorization` sends `Bearer KEY`; default: `authorization`, for a key of `azure` `api-key`',
  ),
  headers: described(z.record(z.string(), z.string()), 'more headers of every request, by name'),
  query: described(z.record(z.string(), z.string()), 'more query parameters of every request, such as `api-version`'),
  completeEncoding: described(
    z.enum(['json', 'form']),
    'encoding of the call that completes an Upload; default: `json`',
  ),
  stallTimeoutMs: described(
    wholeNumber(1000, 3_600_000),
    "milliseconds without traffic after which Longhaul closes a part's connection; default: 60,000",
  ),
  filesRequestsPerMinute: described(
    z.union([z.literal(0), wholeNumber(10, 1_000_000)], 'must be 0, or a whole number from 10 to 1000000'),
    'maximum requests per minute to `/files`, [across all workers](fairness.md#requests-per-minute), 0 for no limit; default: 1,000',
  ),
  traceHeaders: described(z.boolean(), 'whether calls have [trace headers](metrics.md#traces); default: `false`'),
  limits: described(
    limitsField,
    '[limits of Files](#limits-of-files) that differ from those of the kind and of the purpose',
  ),
  purposes: described(z.array(text), 'purposes of this service in addition to the usual purposes'),
  ...networkFields,
});

/** A part of `destinations` of the config file. */
export const destinationSchema = destinationFields
  .refine(hasWholeClientCertificate, WHOLE_CLIENT_CERTIFICATE)
  .refine(
    ({ apiKeyFile, apiKeyCommand }) => apiKeyFile === undefined || apiKeyCommand === undefined,
    'must not have both apiKeyFile and apiKeyCommand',
  )
  .transform(({ resource, ...settings }, context) => {
    const problem = addressProblem({ resource, ...settings });
    if (problem) context.addIssue({ code: 'custom', path: [problem.setting], message: problem.problem });
    const { baseUrl: given = resource === undefined ? DEFAULT_BASE_URL : `https://${resource}.openai.azure.com` } =
      settings;
    return { ...settings, baseUrl: given };
  });

/** The settings of a kind that other kinds do not have are rejected. */
function addressProblem(settings: Omit<z.infer<typeof destinationFields>, 'headers'>): AddressProblem | undefined {
  if (settings.kind === 'azure') {
    const address = azureAddress(settings);
    return 'problem' in address ? address : undefined;
  }
  const [setting] = (['resource', 'apiVersion'] as const).filter((name) => settings[name] !== undefined);
  if (setting) return { setting, problem: 'is only for the kind azure. Add "kind": "azure"' };
  if (settings.baseUrl === undefined) return { setting: 'baseUrl', problem: 'is missing, for example https://HOST/v1' };
  return undefined;
}

export type DestinationInFile = z.infer<typeof destinationSchema>;
