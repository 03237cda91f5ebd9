import { join } from 'node:path';
import { expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';

it('an upload whose history grows long continues as new, and loses neither a part nor a pause', () =>
  withTemporalServer({ 'limit.historyCount.suggestContinueAsNew': 60 }, (temporalAddress) =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, uploads, download } = system;
        await startWorker();
        const file = join(directory, 'long.bin');
        const content = await randomFile(file, 40 * MiB);
        const handle = await client.upload({ file, purpose: 'batch', partSizeBytes: MiB, concurrency: 4 });
        await partsReceived(system, 30);
        expect(await handle.pause()).toMatchObject({ state: 'paused', partsInFlight: 0 });
        await handle.resume();
        const result = await handle.result();

        const runs: string[] = [];
        for await (const run of client.client.workflow.list({ query: `WorkflowId = "${handle.workflowId}"` }))
          runs.push(run.runId);
        expect(runs.length).toBeGreaterThan(1);
        expect(result).toMatchObject({ parts: 40, partsSent: 40, sessions: 1, md5: md5(content) });
        expect(uploads()).toMatchObject([{ status: 'completed', partsReceived: 40 }]);
        expect(md5(await download(result.file.id))).toBe(md5(content));
      },
      { temporalAddress, bandwidthBytesPerSecond: 20 * MiB },
    ),
  ));
