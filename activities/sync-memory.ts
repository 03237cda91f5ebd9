import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { SyncScope } from '../src/contracts/activities.ts';
import type { RememberedFile, SyncMemory } from '../src/contracts/sync.ts';

/** "Payloads are limited to 2 MB" (Temporal); a dry run's decisions have to find room beside it. */
const MAX_CHARACTERS = 900_000;

/** What no memory of ours comes near; more is not ours. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

type Row = readonly [path: string, sizeBytes: number, version: string, fileId: string, md5: string | null];

interface Content {
  /** Of what the memory is about: after a change of source or destination it says nothing any more. */
  readonly scope: string;
  /** Oldest first. */
  readonly rows: readonly Row[];
}

/** Entries in the order in which they were learnt; the oldest find no place when all don't. */
export async function packMemory(
  scope: SyncScope,
  entries: readonly RememberedFile[],
  maxCharacters = MAX_CHARACTERS,
): Promise<SyncMemory> {
  let rows = entries.map(({ path, sizeBytes, version, fileId, md5 }): Row => [path, sizeBytes, version, fileId, md5]);
  for (;;) {
    const content: Content = { scope: digestOf(scope), rows };
    const data = (await promisify(gzip)(JSON.stringify(content))).toString('base64');
    if (data.length <= maxCharacters || rows.length === 0) {
      return { format: 'gzip-rows-1', entries: rows.length, dropped: entries.length - rows.length, data };
    }
    rows = rows.slice(-Math.floor((rows.length * maxCharacters * 0.97) / data.length));
  }
}

/** Empty when the memory is of another source, purpose, destination or prefix, or can't be read. */
export async function unpackMemory(scope: SyncScope, memory: SyncMemory | null): Promise<RememberedFile[]> {
  if (memory?.format !== 'gzip-rows-1') return [];
  try {
    const packed = Buffer.from(memory.data, 'base64');
    const json = await promisify(gunzip)(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
    const content = JSON.parse(json.toString()) as Content;
    if (content.scope !== digestOf(scope)) return [];
    return content.rows.map(([path, sizeBytes, version, fileId, md5]) => ({ path, sizeBytes, version, fileId, md5 }));
  } catch {
    // Without a memory files are compared by name, size and time, and none is deleted: less is known, nothing is wrong.
    return [];
  }
}

/** Globs may change: they say which of the remembered files this run is about. */
function digestOf({ source, destination, purpose, prefix }: SyncScope): string {
  const place =
    source.type === 'folder' ? [source.host, source.path] : [source.bucket, source.prefix, source.connection];
  return createHash('sha256')
    .update(JSON.stringify([source.type, ...place, destination, purpose, prefix]))
    .digest('hex')
    .slice(0, 16);
}
