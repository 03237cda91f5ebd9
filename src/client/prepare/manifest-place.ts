import { resolve } from 'node:path';
import type { ManifestPlace } from '../../contracts/sources.ts';
import { ConfigError } from '../../errors.ts';
import { pathOnDisk } from '../../sources/file/path-on-disk.ts';
import { realPlace } from '../../sources/file/real-place.ts';

/**
 * Returns the place of a manifest: a path on this machine, or `s3://BUCKET/KEY`.
 *
 * @param connection S3 connection of the workers
 * @param host name of this machine
 * @throws ConfigError if it is another URL, or does not name an object
 */
export async function manifestPlaceOf(
  given: string,
  connection: string | undefined,
  host: string,
): Promise<ManifestPlace> {
  const object = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(given);
  if (object) {
    const [, bucket = '', key = ''] = object;
    if (bucket !== '' && key !== '' && !key.endsWith('/')) {
      return { type: 's3', bucket, key, connection: connection || undefined };
    }
    throw new ConfigError(`the manifest must be an object, for example s3://BUCKET/sync.jsonl, not "${given}"`);
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) {
    throw new ConfigError(
      `cannot use the manifest "${given}". Use a file, or an object such as s3://BUCKET/sync.jsonl`,
    );
  }
  if (given === '' || given === '-') throw new ConfigError('the manifest must be a file, for example sync.jsonl');
  return { type: 'file', path: await realPlace(resolve(await pathOnDisk(given))), host };
}
