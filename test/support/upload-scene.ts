import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobHandle } from 'longhaul';
import { SearchAttributes } from '../../src/contracts/search-attributes.ts';
import { MiB, type System } from './system.ts';
import { until } from './until.ts';

/** Fifty uploads, as many hands have left them. */
export const SCENE = { completed: 14, failed: 1, waiting: 11, paused: 12, uploading: 12 } as const;

export type SceneState = keyof typeof SCENE;
export type UploadScene = Readonly<Record<SceneState, readonly JobHandle<'upload'>[]>>;

/** So slow that whatever is running stays so. */
const CRAWL_BYTES_PER_SECOND = 64 * 1024;

/** Brings uploads into every state, and leaves them there: those that wait try again only after five minutes. */
export async function playUploadScene(system: System): Promise<UploadScene> {
  const { api, client, directory } = system;
  const content = randomBytes(8 * MiB);
  let shard = 0;

  const start = async (sizeMiB: number, concurrency: number) => {
    const id = `shard-${String((shard += 1)).padStart(2, '0')}`;
    const file = join(directory, `${id}.jsonl`);
    await writeFile(file, content.subarray(0, sizeMiB * MiB));
    return client.upload({ id, file, purpose: 'vision', partSizeBytes: MiB, concurrency });
  };
  type ByIndex = (index: number) => number;
  const several = (count: number, sizeMiB: ByIndex, concurrency: ByIndex = () => 1) =>
    Promise.all(Array.from({ length: count }, (_, index) => start(sizeMiB(index), concurrency(index))));
  // Asking each of them would keep the worker from its work.
  const toBe = (state: SceneState, handles: readonly JobHandle<'upload'>[]) => {
    const query = `${SearchAttributes.state.name} = "${state}"`;
    const isSo = async () => (await client.temporal.workflow.count(query)).count === handles.length;
    return until(isSo, `${handles.length} uploads to be ${state}`);
  };

  const completed = await several(SCENE.completed, (index) => 1 + (index % 2));
  await Promise.all(completed.map((handle) => handle.result()));

  api.faults.add({ route: 'create', kind: 'status', status: 422 });
  const failed = await several(SCENE.failed, () => 1);
  await Promise.all(failed.map((handle) => handle.result().catch(() => {})));

  // A pause lets the parts in flight end; so each of these has as many parts as it may have in flight.
  api.configure({ bandwidthBytesPerSecond: CRAWL_BYTES_PER_SECOND });
  const begun = await several(
    SCENE.waiting + SCENE.paused + SCENE.uploading,
    (index) => 4 + (index % 4),
    (index) => 1 + (index % 2),
  );
  await toBe('uploading', begun);
  const pausing = begun.map((handle) => handle.pause());
  await toBe('paused', begun);
  api.configure({ bandwidthBytesPerSecond: null });
  await Promise.all(pausing);
  const waiting = begun.splice(0, SCENE.waiting);
  const uploading = begun.splice(0, SCENE.uploading);

  api.faults.add({ route: 'part', kind: 'status', status: 403, count: 1000 });
  await Promise.all(waiting.map((handle) => handle.resume()));
  await toBe('waiting', waiting);
  api.faults.clear();

  api.configure({ bandwidthBytesPerSecond: CRAWL_BYTES_PER_SECOND });
  await Promise.all(uploading.map((handle) => handle.resume()));
  await toBe('uploading', uploading);
  return { completed, failed, waiting, paused: begun, uploading };
}
