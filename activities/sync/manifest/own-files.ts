import type { SyncScope } from '../../../src/contracts/plan-sync.ts';
import { keyPrefixOf } from '../../../src/core/source/names.ts';
import type { Listing } from '../../../src/sources/listing/listing.ts';

/** Returns a filter for the manifest and the files of its updates, which a sync of the same folder excludes. */
export function ownFileFilter(scope: SyncScope): (one: { readonly path: string }) => boolean {
  const path = pathOfManifest(scope);
  if (path === undefined) return () => false;
  const start = path.lastIndexOf('/') + 1;
  const ofUpdate = `${path.slice(0, start)}.${path.slice(start)}.`;
  return (one) =>
    one.path === path ||
    (one.path.startsWith(ofUpdate) &&
      /^(lock(\.[0-9a-f-]{36})?|[0-9a-f-]{36}\.tmp)$/.test(one.path.slice(ofUpdate.length)));
}

/** Excludes the manifest, and the files of its updates, from a listing of the source. */
export function withoutManifest(listing: Listing, scope: SyncScope): Listing {
  const isOfManifest = ownFileFilter(scope);
  return {
    ...listing,
    entries: listing.entries.filter((entry) => !isOfManifest(entry)),
    problems: listing.problems.filter((problem) => !isOfManifest(problem)),
    leftOut: listing.leftOut.filter((one) => !isOfManifest(one)),
  };
}

/** The path of the manifest within the source; undefined if it is outside. */
function pathOfManifest({ source, manifest }: SyncScope): string | undefined {
  if (manifest?.type === 'file' && source.type === 'folder') {
    return after(`${source.path.replace(/\/+$/, '')}/`, manifest.path);
  }
  if (manifest?.type !== 's3' || source.type !== 's3') return undefined;
  const isSame = manifest.bucket === source.bucket && (manifest.connection ?? '') === (source.connection ?? '');
  return isSame ? after(keyPrefixOf(source), manifest.key) : undefined;
}

function after(start: string, path: string): string | undefined {
  return path.startsWith(start) ? path.slice(start.length) : undefined;
}
