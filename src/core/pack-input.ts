import type { PackSyncMemoryInput, SyncScope } from '../contracts/activities.ts';
import { PayloadLimits } from '../contracts/limits.ts';
import type { SyncMemory } from '../contracts/sync.ts';
import { jsonBytes, takeWithin } from './payload-size.ts';

type Learnt = Pick<PackSyncMemoryInput, 'add' | 'remove'>;

/**
 * The next input of `packSyncMemory` that fits into a payload, and what is left for further ones. Paths are removed
 * before any is added again, as one call does it.
 */
export function packInput(
  scope: SyncScope,
  memory: SyncMemory | null,
  { add, remove }: Learnt,
): Learnt & { readonly input: PackSyncMemoryInput } {
  const room = PayloadLimits.payload - jsonBytes({ scope, memory, add: [], remove: [] });
  const removing = takeWithin(remove, { bytes: room });
  const areAllRemoved = removing.taken.length === remove.length;
  let { taken: adding } = takeWithin(areAllRemoved ? add : [], { bytes: room - removing.bytes });
  // One at least: an entry that fits nowhere fails with a reason.
  if (adding.length + removing.taken.length === 0 && areAllRemoved) adding = add.slice(0, 1);
  const removed = adding.length + removing.taken.length === 0 ? remove.slice(0, 1) : removing.taken;
  return {
    input: { scope, memory, add: adding, remove: removed },
    add: add.slice(adding.length),
    remove: remove.slice(removed.length),
  };
}
