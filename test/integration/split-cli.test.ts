import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { MiB, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

describe('longhaul upload --split', () => {
  it('appears in status and list with its pieces, and is controlled and cancelled like any upload', () =>
    withSystem(async (system) => {
      const longhaul = (...args: string[]) => runCli(args, system.environment);
      await system.startWorker();
      const file = join(system.directory, 'train.jsonl');
      await linesFile(file, 6 * MiB);
      // The first part succeeds. The next one hangs until it is aborted.
      system.api.faults.add({ route: 'part', kind: 'stall', skip: 1 });
      const args = ['upload', file, '--purpose', 'assistants', '--split-size', '3.5MiB', '--part-size', '1MiB'];

      const started = await longhaul(...args, '--concurrency', '1', '--detach');
      const id = started.stdout.trim();
      await until(() => system.api.faults.list()[0]?.fired === 1, 'the second part to hang');
      expect((await longhaul('pause', id, '--stop')).stderr).toMatch(/: paused · .* of 6 MiB · \d of \d parts/);
      const status = await longhaul('status', id);
      expect(status.stdout).toMatch(/: paused .*Upload upload_/);
      expect(status.stdout).toMatch(/ 1\. uploading {2}train-00001-of-00002\.jsonl · .*-00001-of-00002\n/);
      expect(status.stdout).toMatch(/ 2\. pending .* train-00002-of-00002\.jsonl/);
      const { uploads } = JSON.parse((await longhaul('list', '--running', '--json')).stdout);
      expect(uploads).toContainEqual(expect.objectContaining({ workflowId: id, type: 'uploadSplitFile' }));
      expect(uploads).toContainEqual(
        expect.objectContaining({ workflowId: `${id}-00001-of-00002`, type: 'uploadFile', parentId: id }),
      );

      expect((await longhaul('cancel', id)).stderr).toMatch(/^cancelled /m);
      expect(system.uploads()).toMatchObject([{ status: 'cancelled' }]);

      const done = await longhaul(...args);
      expect(done.stderr).toMatch(/train\.jsonl: 6 MiB in .* 2 Files · \d parts/);
      expect(done.stdout).toMatch(/^file-\w+\ttrain-00001-of-00002\.jsonl\nfile-\w+\ttrain-00002-of-00002\.jsonl\n$/);
      const again = await longhaul(...args, '--json');
      expect(JSON.parse(again.stdout)).toMatchObject({ resumed: true, files: [{}, {}] });

      const other = join(system.directory, 'other.jsonl');
      await linesFile(other, 3 * MiB);
      system.api.faults.add({ route: 'create', kind: 'status', status: 422, skip: 1 });
      const failed = await longhaul('upload', other, ...args.slice(2), '--split-size', '2MiB', '--json', '--quiet');
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/^longhaul: 1 of 2 pieces have no File: 2 \(.*\n$/);
      expect(JSON.parse(failed.stdout)).toMatchObject({
        error: { code: 'PiecesFailed' },
        pieces: [{ state: 'completed', fileId: expect.any(String) }, { state: 'failed' }],
      });
    }));
});
