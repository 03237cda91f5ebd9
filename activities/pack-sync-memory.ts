import type { ControlActivities } from '../src/contracts/activities.ts';
import { nameKey } from '../src/core/text/name-form.ts';
import { runAttempt } from './attempt.ts';
import { packMemory, unpackMemory } from './sync/memory.ts';

export const packSyncMemory: ControlActivities['packSyncMemory'] = ({ scope, memory, add, remove }) =>
  runAttempt(async () => {
    const { entries } = await unpackMemory(scope, memory);
    const byPath = new Map(entries.map((entry) => [nameKey(entry.path), entry]));
    for (const path of remove) byPath.delete(nameKey(path));
    for (const entry of add) {
      // Moves to the end, which is dropped last.
      byPath.delete(nameKey(entry.path));
      byPath.set(nameKey(entry.path), entry);
    }
    return packMemory(scope, [...byPath.values()]);
  });
