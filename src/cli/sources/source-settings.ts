import { randomBytes } from 'node:crypto';
import { constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { access } from 'node:fs/promises';
import type { Config } from '../../config/config.ts';
import { createOnce } from '../../config/create-once.ts';
import { attempt } from '../../core/objects.ts';
import { stateDirectoryError } from '../../dev/server/errors.ts';
import { makeDirectory } from '../../make-directory.ts';
import { namedBy, type NamedSources } from '../../sources/named-sources.ts';
import type { SourceSettings } from '../../sources/source-settings.ts';
import { SpoolFolder } from './spool/folder.ts';

/**
 * Returns the sources that a command can read. On the embedded server, all commands belong to this user. If no seal key is
 * set, a key of this machine seals the queries of URLs.
 */
export function sourceSettingsOf(config: Config): SourceSettings {
  const { sources, temporal } = config;
  const { files } = sources;
  // The copies of commands are outside the configured roots.
  const stateDir = knownStateDir(config);
  const copies = stateDir === undefined ? [] : [new SpoolFolder(stateDir).path];
  const roots = files?.roots && [...files.roots, ...copies];
  // A URL that the user of the command names needs no check of its address, so a proxy can resolve it.
  const http = { ...sources.http, trustProxy: true };
  const settings = { ...sources, files: { ...files, roots }, http };
  if (sources.sealKey !== undefined || temporal !== undefined) return settings;
  return { ...settings, sealKey: () => ownSealKey(config.stateDir) };
}

/**
 * Returns the sources that the worker of a command permits: only those that commands of this user named. An upload with
 * another source waits for another worker.
 */
export function commandSources(config: Config, named: NamedSources = namedBy([])): SourceSettings {
  const settings = sourceSettingsOf(config);
  const connections = Object.entries(settings.s3 ?? {}).map(([name, connection]) => [
    name,
    { ...connection, buckets: [] },
  ]);
  return {
    ...settings,
    any: false,
    buckets: [],
    s3: Object.fromEntries(connections),
    files: { ...settings.files, roots: named.paths },
    http: { ...settings.http, hosts: [] },
    named: { directory: namedFolder(config) },
    isOfCommand: true,
  };
}

/** Returns the state directory; undefined without a home directory, when no command of this user can have used one. */
export function knownStateDir(config: Pick<Config, 'stateDir'>): string | undefined {
  return attempt(() => config.stateDir);
}

/** Directory of the records of named sources. */
export function namedFolder({ stateDir }: Pick<Config, 'stateDir'>): string {
  return join(stateDir, 'named');
}

function ownSealKey(stateDir: string): string {
  const path = join(stateDir, 'seal-key');
  try {
    makeDirectory(stateDir);
    if (!existsSync(path)) createOnce(path, randomBytes(32).toString('hex'));
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw stateDirectoryError(stateDir, error);
  }
}

/** Whether this user can read the file. */
export function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
