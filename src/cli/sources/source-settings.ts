import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync, constants } from 'node:fs';
import { join } from 'node:path';
import { access } from 'node:fs/promises';
import type { Config } from '../../config/config.ts';
import { namedBy, type NamedSources } from '../../sources/named-sources.ts';
import type { SourceSettings } from '../../sources/source-settings.ts';
import { SpoolFolder } from './spool/folder.ts';

/**
 * What a command itself may read. On the embedded server all commands are this user's, so a key of this machine's seals
 * the queries of URLs where none was set.
 */
export function sourceSettingsOf(config: Config): SourceSettings {
  const { sources, temporal } = config;
  const { files } = sources;
  // Its own copies are in no root.
  const roots = files?.roots && [...files.roots, new SpoolFolder(config.stateDir).path];
  // What the own user names is read through a proxy as it is.
  const http = { ...sources.http, trustProxy: true };
  const settings = { ...sources, files: { ...files, roots }, http };
  if (sources.sealKey !== undefined || temporal !== undefined) return settings;
  return { ...settings, sealKey: () => ownSealKey(config.stateDir) };
}

/**
 * What the worker of a command reads: that which commands of this user named, and nothing else that a caller might. An
 * upload that it does not permit waits for another worker.
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

/** Where commands record what they name. */
export function namedFolder({ stateDir }: Pick<Config, 'stateDir'>): string {
  return join(stateDir, 'named');
}

function ownSealKey(stateDir: string): string {
  const path = join(stateDir, 'seal-key');
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(path, 'utf8');
}

/** Whether this user may read the file. */
export function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
