import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { globListProblem } from '../../core/glob/glob.ts';
import { ConfigError } from '../../errors.ts';
import { SourceHeaders } from '../../sources/http/headers.ts';
import type { SourceSettings } from '../../sources/source-settings.ts';
import type { CliContext } from '../context.ts';
import { fileWarnings } from '../checks/key-warnings.ts';
import { repeatedOption } from './values.ts';
import { knownStateDir, namedFolder, sourceSettingsOf } from '../sources/source-settings.ts';

export interface PermissionOptions {
  readonly root?: readonly string[];
  readonly bucket?: readonly string[];
  readonly httpHost?: readonly string[];
  readonly anySource?: boolean;
}

/** Adds the options that list the sources that callers of a worker can name. */
export function addPermissionOptions(command: Command): Command {
  return command
    .option('--root <dir>', 'directory that callers can upload from (repeatable) (default: none)', repeatedOption)
    .option(
      '--bucket <name>',
      'S3 bucket or glob that callers can upload from (repeatable) (default: none)',
      repeatedOption,
    )
    .option(
      '--http-host <host>',
      'host or glob that callers can upload from (repeatable) (default: none)',
      repeatedOption,
    )
    .option('--any-source', 'permit every file, bucket and host that this worker can read');
}

/**
 * Returns the sources that callers can name. An option replaces the list of the config file.
 *
 * @throws ConfigError
 */
export function permittedSources(
  { config, note }: Pick<CliContext, 'config' | 'note'>,
  { root, bucket, httpHost, anySource = false }: PermissionOptions,
): SourceSettings {
  const hasLists = (root ?? bucket ?? httpHost) !== undefined;
  if (anySource && hasLists) {
    throw new ConfigError('--any-source permits every source. Remove it, or remove --root, --bucket and --http-host.');
  }
  if (httpHost?.some((host) => /[/@\s]|^[^[]*:/.test(host))) {
    throw new ConfigError('--http-host must be a host name or a glob, for example files.example.com.');
  }
  for (const [option, globs] of Object.entries({ '--bucket': bucket ?? [], '--http-host': httpHost ?? [] })) {
    const problem = globListProblem(globs);
    if (problem !== undefined) throw new ConfigError(`${option} ${problem}`);
  }
  const settings = sourceSettingsOf(config);
  // Before a server is started or called.
  const headers = new SourceHeaders(settings.http?.headers);
  headers.load();
  for (const warning of headers.hosts.flatMap(({ files }) => files.flatMap(fileWarnings))) {
    note(`longhaul: warning: ${warning}`);
  }
  const roots = root?.map((directory) => resolve(directory)) ?? config.sources.files?.roots;
  for (const directory of roots ?? []) {
    if (!existsSync(directory)) note(`longhaul: the root ${directory} does not exist. Create or mount it.`);
  }
  return {
    ...settings,
    any: anySource || (!hasLists && config.sources.any),
    buckets: bucket ?? settings.buckets,
    files: { ...settings.files, roots },
    http: {
      ...settings.http,
      hosts: httpHost ?? settings.http?.hosts,
      trustProxy: isEmbedded(config) || (config.sources.http?.trustProxy ?? false),
    },
    named:
      knownStateDir(config) === undefined
        ? undefined
        : { directory: namedFolder(config), copiesOnly: !isEmbedded(config) },
  };
}

function isEmbedded({ temporal }: Config): boolean {
  return temporal === undefined;
}
