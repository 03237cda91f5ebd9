import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { LonghaulClient } from 'longhaul';
import { expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';

it('an upload with a long history continues as new, and loses neither a part nor an update', () =>
  withTemporalServer({ 'limit.historyCount.suggestContinueAsNew': 40 }, (temporalAddress) =>
    withSystem(
      async ({ client, startWorker, directory, uploads, download }) => {
        await startWorker();
        const file = join(directory, 'long.bin');
        const content = await randomFile(file, 12 * MiB);
        const settings = { partSizeBytes: MiB, concurrency: 2, sha256: true };
        const handle = await client.upload({ file, purpose: 'assistants', ...settings });
        let isOver = false;
        const ended = handle.result().finally(() => {
          isOver = true;
        });
        let answers = 0;
        const steer = async (lane: number) => {
          for (let round = 0; !isOver; round++) {
            const concurrency = 2 + ((lane + round) % 3);
            const refused = await handle.retune({ concurrency }).then(
              () => undefined,
              (error: unknown) => error,
            );
            if (refused === undefined) answers++;
            // Only the end of the upload is a reason to refuse.
            else if (!isOver) await ended.catch(() => {});
          }
        };
        const lanes = [0, 1, 2].map(steer);
        const result = await ended;
        await Promise.all(lanes);
        const runs = await executions(client, handle.workflowId);
        expect(runs).toBeGreaterThan(1);
        expect(answers).toBeGreaterThan(runs);
        const sha256 = createHash('sha256').update(content).digest('hex');
        expect(result).toMatchObject({ parts: 12, partsSent: 12, sessions: 1, md5: md5(content), sha256 });
        expect(md5(await download(result.file.id))).toBe(md5(content));
        expect(uploads()).toMatchObject([{ status: 'completed', partsReceived: 12 }]);
      },
      { temporalAddress, bandwidthBytesPerSecond: 20 * MiB },
    ),
  ));

async function executions({ temporal: client }: LonghaulClient, workflowId: string): Promise<number> {
  const runIds: string[] = [];
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = "${workflowId}"` })) runIds.push(runId);
  return runIds.length;
}
