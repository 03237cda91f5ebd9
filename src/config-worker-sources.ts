import { protectedByEnvironment } from './config-protected.ts';
import { globListProblem } from './core/glob.ts';
import { ConfigError } from './errors.ts';
import { SourceHeaders } from './sources/source-headers.ts';
import { confined, type SourceSettings } from './sources/source-settings.ts';

/**
 * What a worker reads: only what is listed, and nothing that the environment's keys and state are in.
 *
 * @throws ConfigError for a list of buckets or hosts that is none of globs, and for a header of a source without a value
 */
export function workerSources(settings: SourceSettings = {}): SourceSettings {
  const { files, ...others } = settings;
  assertSourceGlobs(settings);
  // A command needs the headers of its own URL only.
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

/** @throws ConfigError for a list of buckets or hosts that is none of globs */
export function assertSourceGlobs({ buckets, http, s3 }: SourceSettings = {}): void {
  assertGlobs('buckets', buckets);
  assertGlobs('http.hosts', http?.hosts);
  assertGlobs('http.allowPrivate', http?.allowPrivate);
  for (const [name, connection] of Object.entries(s3 ?? {})) assertGlobs(`s3.${name}.buckets`, connection.buckets);
}

function assertGlobs(name: string, globs: readonly string[] | undefined): void {
  const problem = globListProblem(globs ?? []);
  if (problem !== undefined) throw new ConfigError(`"sources.${name}" ${problem}`);
}
