import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { SourceSettings } from '../sources/source-settings.ts';

/**
 * What commands and the workers in them may read. On the embedded server all of them are this user's, so a key of this
 * machine's seals the queries of URLs where none was set.
 */
export function sourceSettingsOf(config: Config): SourceSettings {
  return { ...sealed(config), http: { ...config.sources.http, trustProxy: true } };
}

/**
 * Those of a worker. On an existing Temporal its callers can be others than its operator, so that hosts that are read through a
 * proxy must be listed.
 */
export function workerSourceSettingsOf(config: Config): SourceSettings {
  return config.temporal === undefined ? sourceSettingsOf(config) : config.sources;
}

function sealed(config: Config): SourceSettings {
  const { sources, temporal } = config;
  if (sources.sealKey !== undefined || temporal !== undefined) return sources;
  return { ...sources, sealKey: () => ownSealKey(config.stateDir) };
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
