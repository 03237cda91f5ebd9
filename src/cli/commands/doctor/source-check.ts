import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pMap from 'p-map';
import type { Config } from '../../../config/config.ts';
import { configuredLimits } from '../../../config/destinations.ts';
import { Limits } from '../../../contracts/limits.ts';
import type { Container, Source } from '../../../contracts/sources.ts';
import { formatBytes, formatCount } from '../../../core/text/format.ts';
import { limitText } from '../../../core/upload/file-limits.ts';
import { nameOfSource } from '../../../core/source/names.ts';
import { createPathFilter } from '../../../sources/listing/path-filter.ts';
import { SourceHeaders } from '../../../sources/http/headers.ts';
import { assertNoOtherUrl, isSourceUrl, partsOfS3Url, sourceOfUrl } from '../../../sources/source-of-url.ts';
import { sealKeyOf } from '../../../sources/source-settings.ts';
import { Sources } from '../../../sources/sources.ts';
import { findPipes } from '../../sources/spool/pipe-arguments.ts';
import { isReadable, sourceSettingsOf } from '../../sources/source-settings.ts';
import { fileWarnings } from '../../checks/key-warnings.ts';
import { checked, fail, ok, warn, type Check, type Finding } from './check.ts';

/** A large folder is not an error. */
const LIST_LIMIT_MS = 4000;

/** Checks that a file, a folder, or an s3:// or https:// URL can be read from here with the settings of this environment. */
export async function sourceCheck(
  config: Config,
  name: string,
  { connection, destination }: { readonly connection?: string | undefined; readonly destination: string },
): Promise<Check> {
  const settings = sourceSettingsOf(config);
  const { maxFileBytes = Limits.maxFileBytes } = configuredLimits(config, destination, '') ?? {};
  return Sources.with(settings, (sources) =>
    checked('source', async (signal) => {
      const container = await containerOf(name, connection, config.host);
      if (container) return await checkContainer(sources, container, signal);
      if (isSourceUrl(name)) {
        const { source, query } = sourceOfUrl(name, { connection, sealKey: sealKeyOf(settings) });
        return checkSource(sources, source, maxFileBytes, query);
      }
      assertNoOtherUrl(name);
      const [pipe] = (await findPipes([name], settings.files ?? {})).values();
      if (pipe) return ok(`${pipe.words.what}: a pipe, whose content was not read`);
      const path = await realpath(name).catch(() => resolve(name));
      return checkSource(sources, { type: 'file', path, host: config.host }, maxFileBytes);
    }),
  );
}

/** Checks that each header of the configuration has a value. Sends no request. */
export function headerChecks(config: Config): Promise<readonly Check[]> {
  const { hosts } = new SourceHeaders(config.sources.http?.headers);
  return Promise.all(
    hosts.map((host) =>
      checked(`headers of ${host.host}`, async () => {
        await host.read();
        const [warning] = host.files.flatMap(fileWarnings);
        if (warning !== undefined) return warn(warning);
        return ok(`${host.names} ${host.names.includes(',') ? 'have values' : 'has a value'}`);
      }),
    ),
  );
}

async function containerOf(name: string, connection: string | undefined, host: string): Promise<Container | undefined> {
  const { bucket, key = '' } = partsOfS3Url(name) ?? {};
  if (bucket && /(^|\/)$/.test(key))
    return { type: 's3', bucket, prefix: key || undefined, connection: connection || undefined };
  const isFolder = await stat(name).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder ? { type: 'folder', path: await realpath(name), host } : undefined;
}

async function checkContainer(sources: Sources, container: Container, signal: AbortSignal): Promise<Finding> {
  const filter = createPathFilter([], []);
  const name = container.type === 'folder' ? container.path : `s3://${container.bucket}/${container.prefix ?? ''}`;
  const listing = AbortSignal.timeout(LIST_LIMIT_MS);
  const listed = await sources
    .list(container, { filter, signal: AbortSignal.any([signal, listing]) })
    .catch((error: unknown) => {
      if (!listing.aborted) throw error;
    });
  if (!listed) return warn(`${name}: not listed completely within ${LIST_LIMIT_MS / 1000} s`);
  const { entries, problems } = listed;
  const [first] = problems;
  if (!first && container.type === 'folder') {
    const closed = await firstUnreadable(container.path, entries);
    if (closed) return warn(`${name}: this user cannot read ${closed}`, 'grant this user read access to it');
  }
  if (!first) return ok(`${name}: ${formatCount(entries.length, 'file')}`);
  return warn(`${name}: ${problems.length} of its entries cannot be read, for example ${first.path}: ${first.message}`);
}

async function firstUnreadable(
  folder: string,
  entries: readonly { readonly path: string }[],
): Promise<string | undefined> {
  const closed = await pMap(entries, async ({ path }) => ((await isReadable(join(folder, path))) ? undefined : path), {
    concurrency: 16,
  });
  return closed.find((path) => path !== undefined);
}

async function checkSource(sources: Sources, source: Source, maxFileBytes: number, query?: string): Promise<Finding> {
  const { sizeBytes } = await sources.read(source, { query }, (reader) => reader.stat());
  const words = `${nameOfSource(source)}: ${formatBytes(sizeBytes)}`;
  if (sizeBytes <= maxFileBytes) return ok(words);
  const message = `${words}, and an Upload accepts at most ${limitText(maxFileBytes)}`;
  return fail(message, 'upload a JSONL file with --split, or reduce the size of the file');
}
