import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Container, Source } from '../contracts/sources.ts';
import { keyPrefixOf } from '../core/source/names.ts';

const namedObjects = z.object({
  connection: z.string(),
  bucket: z.string(),
  /** All keys that start with it, if `isPrefix`. */
  key: z.string(),
  isPrefix: z.boolean(),
});

/** Sources that commands of this user named. */
export const namedSources = z.object({
  /** Real paths of files and folders. */
  paths: z.array(z.string()),
  objects: z.array(namedObjects),
  /** Without their queries. */
  urls: z.array(z.string()),
});

export type NamedSources = z.infer<typeof namedSources>;

/**
 * Returns the sources in all records of a directory. A record that cannot be read is ignored.
 *
 * @param directory records of this user's commands; missing until the first command
 */
export async function readNamedSources(directory: string): Promise<NamedSources> {
  const names = await readdir(directory).catch((): string[] => []);
  const records = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => readRecord(join(directory, name))),
  );
  return {
    paths: records.flatMap(({ paths }) => paths),
    objects: records.flatMap(({ objects }) => objects),
    urls: records.flatMap(({ urls }) => urls),
  };
}

/** The sources that a command names with its arguments. */
export function namedBy(sources: readonly (Source | Container)[]): NamedSources {
  const named: NamedSources = { paths: [], objects: [], urls: [] };
  for (const source of sources) {
    if (source.type === 'http') named.urls.push(source.url);
    else if (source.type !== 's3') named.paths.push(source.path);
    else {
      const { bucket, connection = 'default' } = source;
      const isPrefix = !('key' in source);
      named.objects.push({ connection, bucket, key: isPrefix ? keyPrefixOf(source) : source.key, isPrefix });
    }
  }
  return named;
}

export function isEmpty({ paths, objects, urls }: NamedSources): boolean {
  return paths.length + objects.length + urls.length === 0;
}

export function namesSource({ objects, urls }: NamedSources, source: Source | Container): boolean {
  if (source.type === 'http') return urls.includes(source.url);
  if (source.type !== 's3') return false;
  const { bucket, connection = 'default' } = source;
  const key = 'key' in source ? source.key : keyPrefixOf(source);
  return objects.some(
    (one) =>
      one.connection === connection &&
      one.bucket === bucket &&
      (one.isPrefix ? key.startsWith(one.key) : 'key' in source && one.key === key),
  );
}

async function readRecord(path: string): Promise<NamedSources> {
  try {
    return namedSources.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    // Removed in the meantime, or of another version.
    return { paths: [], objects: [], urls: [] };
  }
}
