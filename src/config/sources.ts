import * as z from 'zod';
import { headersSchema, toSourceHeaders } from './source-headers.ts';
import { hasWholeClientCertificate, networkFields, WHOLE_CLIENT_CERTIFICATE } from './network.ts';
import { described, text } from './values.ts';
import { globListProblem } from '../core/glob/glob.ts';
import type { ProtectedPaths } from '../sources/file/protected-paths.ts';
import { type S3Settings, type SourceSettings, confined } from '../sources/source-settings.ts';
import { protectedByEnvironment } from './paths.ts';
import { ConfigError } from '../errors.ts';
import { SourceHeaders } from '../sources/http/headers.ts';

/** Names or globs. */
const globs = z.array(text).superRefine((list, context) => {
  const problem = globListProblem(list);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});
const stallTimeoutMs = described(
  z.coerce.number().int().min(1000).max(3_600_000),
  'milliseconds without traffic after which Longhaul closes a connection; default: 60,000',
);

const s3Connection = z.strictObject({
  endpoint: described(
    z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }),
    'address of the store; default: AWS, or for the connection `default` the address in `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`',
  ),
  region: described(text, 'region of the store; default: `AWS_REGION`, or that of the AWS profile'),
  forcePathStyle: described(
    z.boolean(),
    'whether URLs contain the bucket in the path, not in the host name; default: `true` with an `endpoint`',
  ),
  accessKeyIdEnv: described(
    text,
    "name of the variable with the ID of the access key; default: AWS's default chain (environment, profiles, SSO, web identity, container and instance roles)",
  ),
  secretAccessKeyEnv: described(text, 'name of the variable with the secret access key; default: as `accessKeyIdEnv`'),
  sessionTokenEnv: described(text, 'name of the variable with the session token; default: as `accessKeyIdEnv`'),
  buckets: described(
    globs,
    '[globs](sync.md#globs) of buckets that callers can name with this connection; default: workers: `buckets`; clients: any',
  ),
  etagIsMd5: described(
    z.boolean(),
    'whether the ETag is [the MD5](sources.md#the-md5); default: `true` without an `endpoint`',
  ),
  stallTimeoutMs,
  ...networkFields,
});

/** The part `sources` of the configuration file. */
export const sourcesSchema = z.strictObject({
  any: described(
    z.boolean(),
    'permits workers every file, bucket and host, independent of the lists (`--any-source`, `LONGHAUL_ANY_SOURCE`); default: `false`',
  ),
  files: described(
    z.strictObject({
      roots: z
        .array(text.startsWith('/', 'must be an absolute path'))
        .describe('directories that contain all permitted files (`--root`); default: workers: none; clients: any path'),
    }),
    'permitted files',
  ),
  buckets: described(
    globs,
    '[globs](sync.md#globs) of buckets that callers can name, for connections without `buckets` (`--bucket`); default: none',
  ),
  s3: described(
    z.record(text, s3Connection.refine(hasWholeClientCertificate, WHOLE_CLIENT_CERTIFICATE)),
    'S3 connections by name',
  ),
  http: described(
    z
      .strictObject({
        hosts: described(
          globs,
          '[globs](sync.md#globs) of hosts that callers can name (`--http-host`); default: workers: none; clients: any',
        ),
        allowPrivate: described(globs, 'permitted private addresses, networks and host names; default: none'),
        trustProxy: described(
          z.boolean(),
          'whether names that `http.hosts` does not list can be read through a proxy; default: `false`',
        ),
        headers: described(headersSchema, '[headers](sources.md#servers-that-require-a-header) by host; default: none'),
        stallTimeoutMs,
        ...networkFields,
      })
      .refine(hasWholeClientCertificate, WHOLE_CLIENT_CERTIFICATE),
    'HTTP sources',
  ),
});

const ANY_SOURCE = 'LONGHAUL_ANY_SOURCE';

/** Variables of AWS's own tools that say where S3 is. */
const ENDPOINT_VARIABLES = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'] as const;

/** @param problems receives the texts of problems */
export function toSourceSettings(
  { s3 = {}, any, files, http, ...others }: z.infer<typeof sourcesSchema>,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
  protect: ProtectedPaths,
): SourceSettings {
  const anySource = env[ANY_SOURCE];
  const connections = Object.entries({ default: {}, ...s3 }).map(([name, settings]): [string, S3Settings] => [
    name,
    toConnection(name, settings, env, problems),
  ]);
  return {
    ...others,
    previousSealKey: env['LONGHAUL_SEAL_KEY_PREVIOUS'],
    any: anySource === undefined ? any : anySource.trim() === 'true',
    files: { ...files, protect },
    http: http && { ...http, headers: toSourceHeaders(http.headers, env, problems) },
    s3: Object.fromEntries(connections),
    sealKey: env['LONGHAUL_SEAL_KEY'],
  };
}

function toConnection(
  name: string,
  { accessKeyIdEnv, secretAccessKeyEnv, sessionTokenEnv, ...settings }: z.infer<typeof s3Connection>,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): S3Settings {
  const endpoint = settings.endpoint ?? (name === 'default' ? env[endpointVariable(env) ?? ''] : undefined);
  const found = { ...settings, ...(endpoint === undefined ? {} : { endpoint }) };
  if (accessKeyIdEnv === undefined && secretAccessKeyEnv === undefined) return found;
  const accessKeyId = env[accessKeyIdEnv ?? ''];
  const secretAccessKey = env[secretAccessKeyEnv ?? ''];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const missing = [accessKeyIdEnv ?? 'accessKeyIdEnv', secretAccessKeyEnv ?? 'secretAccessKeyEnv'].join(' and ');
    problems.push(`the S3 connection "${name}" has no credentials: set ${missing}`);
    return found;
  }
  const sessionToken = env[sessionTokenEnv ?? ''];
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  return { ...found, credentials };
}

function endpointVariable(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return ENDPOINT_VARIABLES.find((variable) => env[variable] !== undefined);
}

/**
 * Returns the settings of a worker: only listed sources, and no files with the keys and the state of the environment.
 *
 * @throws ConfigError if a list of buckets or hosts has an invalid glob, or a header of a source has no value
 */
export function workerSources(settings: SourceSettings = {}): SourceSettings {
  assertSources(settings);
  const { files, ...others } = settings;
  // A command needs only the headers of its URL.
  if (settings.isOfCommand !== true) new SourceHeaders(settings.http?.headers).load();
  const given = files?.protect;
  const own = protectedByEnvironment();
  const protect = {
    files: [...(given?.files ?? []), ...own.files],
    folders: [...(given?.folders ?? []), ...own.folders],
    copies: given?.copies ?? own.copies,
  };
  return confined({ ...others, files: { ...files, protect } });
}

const strings = z.array(z.string().min(1), { error: 'must be a list of non-empty strings' }).optional();
const flag = z.boolean({ error: 'must be true or false' }).optional();
const other = z.unknown().optional();

/**
 * The types of the settings that decide what can be read, because programs without types can pass any value: a string has
 * the same methods as a list, and any non-empty string is truthy.
 */
const settingsSchema = z
  .strictObject({
    any: flag,
    files: z.strictObject({ roots: strings, protect: other, named: other, isOfCommand: other }).optional(),
    buckets: strings,
    s3: z.record(z.string(), z.looseObject({ buckets: strings })).optional(),
    http: z.looseObject({ hosts: strings, allowPrivate: strings, trustProxy: flag }).optional(),
    proxies: other,
    sealKey: other,
    previousSealKey: other,
    named: other,
    isOfCommand: other,
  })
  .optional();

function assertTypes(settings: unknown): void {
  const parsed = settingsSchema.safeParse(settings);
  if (parsed.success) return;
  const problems = parsed.error.issues.map((issue) => {
    const name = `"${['sources', ...issue.path].join('.')}"`;
    if (issue.code === 'unrecognized_keys') return `${name} has an unknown property "${issue.keys.join('", "')}"`;
    return `${name} ${issue.message.startsWith('must') ? issue.message : 'must be an object'}`;
  });
  throw new ConfigError(problems.join('; '));
}

/** @throws ConfigError if a setting has an incorrect type, or a list of buckets or hosts has an invalid glob */
export function assertSources(settings?: SourceSettings): void {
  assertTypes(settings);
  const { buckets, http, s3 } = settings ?? {};
  assertGlobs('buckets', buckets);
  assertGlobs('http.hosts', http?.hosts);
  assertGlobs('http.allowPrivate', http?.allowPrivate);
  for (const [name, connection] of Object.entries(s3 ?? {})) assertGlobs(`s3.${name}.buckets`, connection.buckets);
}

function assertGlobs(name: string, list: readonly string[] | undefined): void {
  const problem = globListProblem(list ?? []);
  if (problem !== undefined) throw new ConfigError(`"sources.${name}" ${problem}`);
}
