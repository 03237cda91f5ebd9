import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

describe('longhaul upload --split', () => {
  it('is shown by status and list with its pieces, and steered, cancelled and attached to like any upload', () =>
    withSystem(
      async (system) => {
        const longhaul = (...args: string[]) => runCli(args, system.environment);
        const worker = startCli(['worker'], system.environment);
        await until(() => worker.said().includes('worker on '), 'the worker to serve');
        const file = join(system.directory, 'train.jsonl');
        await linesFile(file, 6 * MiB);
        const args = ['upload', file, '--purpose', 'batch', '--split-size', '3.5MiB', '--part-size', '1MiB'];

        const started = await longhaul(...args, '--concurrency', '1', '--detach');
        const id = started.stdout.trim();
        await partsReceived(system, 1);
        expect((await longhaul('pause', id)).stderr).toMatch(/: paused · .* of 6 MiB · \d of \d parts/);
        const status = await longhaul('status', id);
        expect(status.stdout).toMatch(/: paused .*Upload upload_/);
        expect(status.stdout).toMatch(/ 1\. uploading {2}train-00001-of-00002\.jsonl · .*-00001-of-00002\n/);
        expect(status.stdout).toMatch(/ 2\. pending .* train-00002-of-00002\.jsonl/);
        const { uploads } = JSON.parse((await longhaul('list', '--running', '--json')).stdout);
        expect(uploads).toContainEqual(expect.objectContaining({ workflowId: id, type: 'uploadSplitFile' }));
        expect(uploads).toContainEqual(
          expect.objectContaining({ workflowId: `${id}-00001-of-00002`, type: 'uploadFile', parentId: id }),
        );

        expect((await longhaul('cancel', id)).stderr).toMatch(/is cancelled/);
        expect(system.uploads()).toMatchObject([{ status: 'cancelled' }]);

        system.api.configure({ bandwidthBytesPerSecond: null });
        const done = await longhaul(...args);
        expect(done.stderr).toMatch(/train\.jsonl: 6 MiB in .* 2 Files · \d parts/);
        expect(done.stdout).toMatch(/^file-\w+\ttrain-00001-of-00002\.jsonl\nfile-\w+\ttrain-00002-of-00002\.jsonl\n$/);
        const again = await longhaul(...args, '--json');
        expect(JSON.parse(again.stdout)).toMatchObject({ resumed: true, files: [{}, {}] });

        worker.child.kill('SIGTERM');
        expect((await worker.ended).code).toBe(0);
      },
      { bandwidthBytesPerSecond: MiB / 4 },
    ));
});
