import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UploadHandle, UploadOptions } from 'longhaul';
import { MiB, type System } from './system.ts';
import { until } from './until.ts';

/** Fifty uploads, as many hands have left them. */
export const SCENE = { completed: 14, failed: 1, waiting: 11, paused: 12, uploading: 12 } as const;

export type SceneState = keyof typeof SCENE;
export type UploadScene = Readonly<Record<SceneState, readonly UploadHandle[]>>;

/** So slow that whatever is running stays so. */
const CRAWL_BYTES_PER_SECOND = 64 * 1024;

/** Brings uploads into every state, and leaves them there: those that wait try again only after five minutes. */
export async function playUploadScene(system: System): Promise<UploadScene> {
  const { api, client, directory, uploads } = system;
  const content = randomBytes(12 * MiB);
  let shard = 0;

  const start = (count: number, sizeMiB: (index: number) => number, options: Partial<UploadOptions> = {}) =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const file = join(directory, `shard-${String((shard += 1)).padStart(2, '0')}.jsonl`);
        await writeFile(file, content.subarray(0, sizeMiB(index) * MiB));
        return client.upload({ file, purpose: 'fine-tune', partSizeBytes: MiB, concurrency: 1, ...options });
      }),
    );
  const toBe = (state: string, handles: readonly UploadHandle[]) =>
    until(async () => {
      const all = await Promise.all(handles.map((handle) => handle.status()));
      return all.every((progress) => progress.state === state);
    }, `${handles.length} uploads to be ${state}`);

  const completed = await start(SCENE.completed, (index) => 1 + (index % 2));
  await Promise.all(completed.map((handle) => handle.result()));

  api.faults.add({ route: 'create', kind: 'status', status: 422 });
  const failed = await start(SCENE.failed, () => 1);
  await Promise.all(failed.map((handle) => handle.result().catch(() => {})));

  api.faults.add({ route: 'part', kind: 'status', status: 403, skip: 12, count: 1000 });
  const waiting = await start(SCENE.waiting, (index) => 3 + (index % 4));
  await toBe('waiting', waiting);
  api.faults.clear();

  api.configure({ bandwidthBytesPerSecond: 16 * MiB });
  const before = uploads().length;
  const paused = await start(SCENE.paused, (index) => 4 + (index % 5));
  const uploading = await start(SCENE.uploading, (index) => 8 + (index % 5), { concurrency: 2 });
  await until(
    () => uploads().slice(before).filter(({ partsReceived }) => partsReceived > 0).length === SCENE.paused + SCENE.uploading,
    'a part of each',
  );
  const pausing = paused.map((handle) => handle.pause());
  await Promise.all(pausing);
  api.configure({ bandwidthBytesPerSecond: CRAWL_BYTES_PER_SECOND });
  return { completed, failed, waiting, paused, uploading };
}
