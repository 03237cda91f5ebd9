import type { TransferActivities } from '../src/contracts/activities.ts';
import { ManifestError } from '../src/errors.ts';
import { runAttempt } from './attempt.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { SyncManifest } from './sync/manifest/manifest.ts';

/** Adds the results of a run to the manifest of its sync. */
export function createRecordSync({ sources }: Pick<ActivityDependencies, 'sources'>): TransferActivities['recordSync'] {
  return ({ scope, add, remove }) =>
    runAttempt(async ({ signal }) => {
      if (!scope.manifest) throw new ManifestError('cannot record the results of a sync without a manifest');
      const manifest = new SyncManifest(await sources.manifest(scope.manifest), scope);
      await manifest.record({ add, remove }, signal);
    });
}
