import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SyncOptions } from 'longhaul';
import { expect, it } from 'vitest';
import { manyFiles, runSync, decisionLines } from '../support/sync-folder.ts';
import { withSystem } from '../support/system.ts';
import { writeFiles } from '../support/temp-dir.ts';

/** `SYNC_SCALE_FILES=2000` lets it run and print its figures: it takes minutes. */
const FILES = Number(process.env['SYNC_SCALE_FILES'] ?? 0);
/** Maximum Files in one response of the API. */
const PAGE_SIZE = 10_000;

it.runIf(FILES > 0)(
  'a sync of SYNC_SCALE_FILES files sends all once, then only lists, then sends exactly the changes',
  () =>
    withSystem(async (system) => {
      const folder = join(system.directory, 'data');
      await writeFiles(folder, manyFiles(FILES));
      await system.startWorker();
      const run = async (what: string, changes: Partial<SyncOptions> = {}) => {
        const result = await runSync(system, { folder, purpose: 'assistants', delete: true, ...changes });
        console.log(`${what}: ${(result.durationMs / 1000).toFixed(1)} s, ${result.requests} requests`);
        return result;
      };
      const noMoreThanTheList = Math.ceil(FILES / PAGE_SIZE) + 3;
      expect((await run('first')).counts).toMatchObject({ sent: { files: FILES }, failed: 0 });
      const second = await run('second');
      expect(second.counts).toMatchObject({ same: FILES, sent: { files: 0 }, deleted: 0 });
      expect(second.requests).toBeLessThanOrEqual(noMoreThanTheList);

      const at = (index: number) => join(folder, 'many', `${String(index).padStart(4, '0')}.jsonl`);
      const name = (index: number) => `many/${String(index).padStart(4, '0')}.jsonl`;
      const span = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
      for (const index of span(0, 10)) await writeFile(at(index), `{"changed":${index}}\n`);
      for (const index of span(10, 5)) await rm(at(index));
      for (const index of span(15, 5)) await rename(at(index), `${at(index)}.moved`);
      const expected = [
        ...span(0, 10).map((index) => `upload changed ${name(index)}`),
        ...span(10, 5).map((index) => `delete gone ${name(index)}`),
        ...span(15, 5).map((index) => `skip known-content ${name(index)}.moved`),
      ];
      const dry = await run('dry run', { dryRun: true });
      expect(decisionLines(dry.decisions).toSorted()).toEqual(expected.toSorted());
      expect(dry.requests).toBeLessThanOrEqual(noMoreThanTheList);
      const before = system.uploads().length;
      const third = await run('10 touched, 5 removed, 5 renamed');
      expect(third.counts).toMatchObject({ sent: { files: 10 }, knownContent: 5, deleted: 5, failed: 0 });
      expect(
        system
          .uploads()
          .slice(before)
          .map(({ filename }) => filename)
          .toSorted(),
      ).toEqual(span(0, 10).map((index) => name(index).replace('/', '__')));
      const last = await run('last');
      expect(last.counts).toMatchObject({ same: FILES - 10, knownContent: 5, sent: { files: 0 }, deleted: 0 });
      expect(last.requests).toBeLessThanOrEqual(noMoreThanTheList);
    }),
  1_200_000,
);
