import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { FailureType } from 'longhaul';
import { describe, expect, it } from 'vitest';
import type { FaultSpec } from '../../src/local-api/faults.ts';
import { generatedRuns, strangeTexts, strangeValues } from '../support/mutated.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';

const pointers = {
  create: ['/id', '/created_at', '/expires_at', '/status', '/object'],
  part: ['/id', '/created_at', '/upload_id'],
  complete: ['/id', '/file', '/file/id', '/file/bytes', '/file/created_at', '/file/filename', '/file/purpose'],
  cancel: ['/id', '/status'],
  list: ['/data', '/data/0', '/data/-', '/data/0/id', '/data/0/bytes', '/has_more', '/last_id'],
} as const;

/** A response that is altered once. JSON carries the values, so that the local API can be given them by HTTP too. */
const alterations: fc.Arbitrary<FaultSpec> = fc
  .constantFrom(...(Object.keys(pointers) as (keyof typeof pointers)[]))
  .chain((route) => {
    const pointer = fc.constantFrom<string>(...pointers[route]);
    const skip = fc.nat(8);
    return fc.oneof(
      fc.record({ pointer, value: strangeValues, skip }).map(({ pointer: at, value, skip: skipped }): FaultSpec => ({
        route,
        kind: 'alter',
        skip: skipped,
        set: { [at]: value },
      })),
      fc
        .record({ pointer, skip })
        .map(({ pointer: at, skip: skipped }): FaultSpec => ({ route, kind: 'alter', skip: skipped, remove: [at] })),
      fc.record({ text: strangeTexts, skip }).map((values): FaultSpec => ({ route, kind: 'alter', ...values })),
    );
  });

describe('uploads and syncs with arbitrary responses of the service', () => {
  it('end with a File or a typed failure, and without a failed workflow task', { timeout: 600_000 }, () =>
    withSystem(async (system) => {
      const { client, api, directory } = system;
      await system.startWorker();
      const rounds = Math.ceil(generatedRuns(8) / 8);
      for (const alteration of fc.sample(alterations, 3 * 8 * rounds)) api.faults.add(alteration);
      const folder = join(directory, 'folder');
      await mkdir(folder);
      for (let index = 0; index < 15; index++) await writeFile(join(folder, `${index}.txt`), `content ${index}`);

      for (let round = 0; round < rounds; round++) {
        const uploads = Array.from({ length: 8 }, async (_, index) => {
          const file = join(directory, `${round}-${index}.bin`);
          await randomFile(file, index % 2 === 0 ? 3 * MiB : 1000);
          return client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, giveUpAfterMs: 1, maxSessions: 10 });
        });
        const sync = await client.sync({ folder, purpose: 'assistants', upload: { giveUpAfterMs: 1 } });
        const handles = [...(await Promise.all(uploads)), sync];
        for (const handle of handles) {
          const failureType = await handle.result().then(() => 'none', failureTypeOf);
          expect(['none', ...Object.keys(FailureType)]).toContain(failureType);
          const { events } = await client.temporal.workflow.getHandle(handle.workflowId).fetchHistory();
          expect(events?.filter(({ workflowTaskFailedEventAttributes: failed }) => failed)).toEqual([]);
        }
      }
    }),
  );
});

function failureTypeOf(error: unknown): unknown {
  return (error as { failureType?: unknown }).failureType;
}
