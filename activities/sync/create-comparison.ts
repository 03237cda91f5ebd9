import type { PlanSyncInput, SyncScope } from '../../src/contracts/plan-sync.ts';
import { SyncPlan } from '../../src/core/sync/plan.ts';
import type { ListedSource } from '../../src/core/sync/listed-source.ts';
import type { Destination } from '../../src/destinations/port.ts';
import { createPathFilter } from '../../src/sources/listing/path-filter.ts';
import type { Sources } from '../../src/sources/sources.ts';
import { SyncComparison } from './comparison.ts';
import type { Remembered } from './lists.ts';
import { listDestination } from './list-destination.ts';
import { SyncManifest } from './manifest/manifest.ts';
import { ownFileFilter, withoutManifest } from './manifest/own-files.ts';
import { ManifestRecorder } from './manifest/recorder.ts';
import { packedRows } from './memory-rows.ts';
import { unpackMemory, type UnpackedMemory } from './memory.ts';

export interface ListContext {
  readonly client: Destination;
  readonly sources: Sources;
  readonly signal: AbortSignal;
}

/**
 * Lists both sides of a sync. With a manifest, files are compared while they are listed, and unchanged files are only
 * counted, so that a sync of many files needs little memory.
 */
export async function createComparison(
  {
    scope,
    memory,
    lists,
    phase,
  }: { readonly scope: SyncScope } & Partial<Pick<PlanSyncInput, 'memory' | 'lists' | 'phase'>>,
  { client, sources, signal }: ListContext,
): Promise<SyncComparison> {
  const { source, manifest: place } = scope;
  const limits = client.limits(scope.purpose);
  const generation = lists?.generation ?? 0;
  if (place === undefined) {
    const filter = createPathFilter(scope.include, scope.exclude);
    const listing = await sources.list(source, { filter, signal });
    const files = await listDestination(client, scope, { signal });
    const remembered = await unpackMemory(scope, memory ?? null);
    const plan = new SyncPlan(files.files, remembered.entries, scope);
    const memorySides = { files, remembered: countOf(remembered), generation, plan };
    const comparison = new SyncComparison(scope, filter, memorySides, false);
    return comparison.complete(listing, limits, sources);
  }
  const store = await sources.manifest(place);
  // Before anything is sent. A dry run creates no object.
  const isDryRun = phase === 'dry-run';
  if (!isDryRun) await store.prepare(signal);
  const manifest = new SyncManifest(store, scope);
  await sources.check(source, { signal });
  const files = await listDestination(client, scope, { signal });
  const plan = new SyncPlan(files.files, [], scope, packedRows());
  const rows = await manifest.read((row) => plan.remember(row), signal);
  // The first run with a manifest adds the memory of the last run to it.
  const earlier = rows > 0 ? { entries: [] } : await unpackMemory(scope, memory ?? null);
  for (const row of earlier.entries) plan.remember(row);
  const remembered = { ...countOf(earlier), count: rows + earlier.entries.length };
  const recorder = isDryRun ? undefined : new ManifestRecorder(manifest, (id) => plan.hasFile(id), earlier.entries);
  const sides = { files, remembered, generation, manifest, recorder, plan };
  const list = async (countsSame: boolean) => {
    const filter = createPathFilter(scope.include, scope.exclude);
    const comparison = new SyncComparison(scope, filter, sides, countsSame);
    const isOwn = ownFileFilter(scope);
    const onEntry = (entry: ListedSource) => {
      if (!isOwn(entry)) comparison.add(entry, limits);
    };
    const listing = await sources.list(source, { filter, signal, onEntry: countsSame ? onEntry : undefined });
    return comparison.complete(withoutManifest(listing, scope), limits, sources);
  };
  const comparison = await list(!isDryRun);
  // Their order decides which of two sources has the name.
  return comparison.hasSameNames ? list(false) : comparison;
}

function countOf({ entries, problem }: UnpackedMemory): Remembered {
  return { count: entries.length, problem };
}
