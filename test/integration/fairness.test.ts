import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UploadOptions } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';

const BIG_PARTS = 400;
const WINDOW = 64;
const SLOTS = 4;

/** A new sparse file, which uses no disk space. */
async function emptyFile({ directory }: System, name: string, parts: number): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, '');
  await truncate(file, parts * MiB);
  return file;
}

/** Starts big uploads, whose parts fill the queue, and returns how many of those parts arrived while a small one ran. */
async function partsAhead(
  system: System,
  bigs: readonly Partial<UploadOptions>[],
  small: Partial<UploadOptions>,
): Promise<number> {
  const common = { purpose: 'assistants', partSizeBytes: MiB, md5: false };
  await system.startWorker({ transferSlots: SLOTS });
  for (const [index, options] of bigs.entries()) {
    const file = await emptyFile(system, `big-${index}`, BIG_PARTS);
    await system.client.upload({ ...common, file, concurrency: WINDOW, ...options });
  }
  await partsReceived(system, 2 * SLOTS * bigs.length);
  const bigParts = () =>
    system
      .uploads()
      .filter(({ filename }) => filename.startsWith('big'))
      .reduce((sum, { partsReceived: received }) => sum + received, 0);
  const before = bigParts();
  const handle = await system.client.upload({ ...common, file: await emptyFile(system, 'small', 4), ...small });
  await handle.result();
  return bigParts() - before;
}

const throttled = { bandwidthBytesPerSecond: 25 * MiB };

/**
 * First in, first out, the small one would wait for a whole window of each big one twice: with the look at its source,
 * and with its parts.
 */
describe('a small upload alongside an upload of many parts', () => {
  it('gets its share of the slots, and does not wait for the parts of the large upload', () =>
    withSystem(async (system) => {
      expect(await partsAhead(system, [{}], {})).toBeLessThan(WINDOW / 2);
    }, throttled));

  it('gets an equal share of the slots with all uploads of another tenant', () =>
    withSystem(async (system) => {
      const bigs = [{ fairnessKey: 'a' }, { fairnessKey: 'a' }];
      expect(await partsAhead(system, bigs, { fairnessKey: 'b' })).toBeLessThan(WINDOW / 2);
    }, throttled));

  it('precedes the large upload if its priority is higher, even with the same fairness key', () =>
    withSystem(async (system) => {
      const fairnessKey = 'tenant';
      const ahead = await partsAhead(system, [{ priority: 4, fairnessKey }], { priority: 2, fairnessKey });
      expect(ahead).toBeLessThan(WINDOW / 2);
    }, throttled));
});

describe('uploads that start at the same time', () => {
  it('send parts while the MD5s of as many files as slots are computed', () =>
    withSystem(async (system) => {
      await system.startWorker({ transferSlots: 2 });
      const handles = [];
      for (const name of ['one', 'two']) {
        const file = await emptyFile(system, name, 1500);
        handles.push(await system.client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, concurrency: 2 }));
      }
      await until(
        () => system.uploads().filter(({ partsReceived: received }) => received > 0).length === 2,
        'parts of both',
      );
      const progress = await Promise.all(handles.map((handle) => handle.status()));
      expect(progress.map(({ md5 }) => md5)).toEqual([null, null]);
    }, throttled));
});
