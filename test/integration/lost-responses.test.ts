import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';

const purpose = 'assistants';
const partSizeBytes = MiB;

describe('if the response to a completion is lost', () => {
  it('two concurrent uploads with the same name and size each find their File', () =>
    withSystem(async ({ client, startWorker, directory, api, uploads, download }) => {
      await startWorker();
      api.faults.add({ route: 'complete', kind: 'lost-answer', count: 2 });
      const twins = await Promise.all(
        ['one', 'other'].map(async (folder) => {
          await mkdir(join(directory, folder));
          const file = join(directory, folder, 'twin.bin');
          const content = await randomFile(file, 2 * MiB);
          return { content, handle: await client.upload({ file, purpose, partSizeBytes }) };
        }),
      );
      const results = await Promise.all(twins.map(({ handle }) => handle.result()));
      for (const [index, { content }] of twins.entries()) {
        expect(md5(await download(results[index]?.file.id ?? ''))).toBe(md5(content));
      }
      expect(uploads()).toMatchObject([
        { status: 'completed', completions: 1 },
        { status: 'completed', completions: 1 },
      ]);
    }));
});
