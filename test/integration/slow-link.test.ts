import { join } from 'node:path';
import type { SplitUploadRequest } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { startedRequest } from '../../src/client/prepare/started-request.ts';
import { runCli } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const GiB = 1024 * MiB;

describe('longhaul upload --split auto, and pieceSizeBytes: auto', () => {
  it('uses the rate of the last uploads to the destination, and resumes with the size of its first run', () =>
    withSystem(async (system) => {
      const { api, client, directory, environment } = system;
      await system.startWorker();
      const file = join(directory, 'rows.jsonl');
      const other = join(directory, 'other.jsonl');
      await Promise.all([linesFile(file, MiB), linesFile(other, 2 * MiB)]);
      const upload = (path: string, ...more: string[]) =>
        runCli(['upload', '--split', 'auto', path, '--purpose', 'assistants', ...more], environment);
      /** Piece size of the split upload of a file. */
      const sizeOf = async (name: string) => {
        for await (const { workflowId, type, filename } of client.list({ taskQueue: client.taskQueue })) {
          if (type !== 'uploadSplitFile' || filename !== name) continue;
          return (await startedRequest<SplitUploadRequest & { filename: string }>(client.temporal, workflowId))
            ?.pieceSizeBytes;
        }
        throw new Error(`no split upload of ${name}`);
      };
      const first = await upload(file);
      expect(first.stderr).toContain(
        '--split auto: Files of the maximum size. The rate of the last uploads to "default" is unknown.',
      );

      expect(first.code).toBe(0);
      // 8 MiB at 2 MiB/s, so that an hour is enough for 4 GiB.
      api.configure({ bandwidthBytesPerSecond: 2 * MiB });
      const slow = join(directory, 'slow.bin');
      await randomFile(slow, 8 * MiB);
      const measured = await client.upload({ file: slow, purpose: 'assistants', partSizeBytes: MiB });
      await measured.result();
      // Temporal lists the end of a workflow a little later.
      await until(async () => {
        for await (const listed of client.list({ taskQueue: client.taskQueue, state: 'completed' }))
          if (listed.workflowId === measured.workflowId) return true;
        return false;
      }, 'the upload to be listed as completed');
      api.configure({ bandwidthBytesPerSecond: null });

      const second = await upload(other);
      expect(second.stderr).toMatch(/--split auto: Files of at most [24]GiB\. The rate .* is [\d.]+ [KM]iB\/s\./);
      expect([2 * GiB, 4 * GiB]).toContain(await sizeOf('other.jsonl'));
      const again = await upload(file);
      expect(again.stderr).toContain('already uploaded, sent nothing');
      expect(again.stdout).toBe(first.stdout);
      expect([2 * GiB, 4 * GiB]).not.toContain(await sizeOf('rows.jsonl'));

      const third = join(directory, 'third.jsonl');
      await linesFile(third, 3 * MiB);
      const options = { file: third, purpose: 'assistants', pieceSizeBytes: 'auto' } as const;
      const { files } = await (await client.uploadSplit(options)).result();
      expect([2 * GiB, 4 * GiB]).toContain(await sizeOf('third.jsonl'));
      const repeated = await client.uploadSplit(options);
      expect(repeated.resumed).toBe(true);
      expect((await repeated.result()).files).toEqual(files);

      const wrong = await Promise.all([
        upload(file, '--split-size', '1MiB'),
        runCli(['upload', '--split=often', file, '--purpose', 'assistants'], environment),
      ]);
      expect(wrong.map(({ code }) => code)).toEqual([2, 2]);
      expect(wrong[0].stderr).toContain('--split auto determines the size of the Files. Remove --split-size');
    }));
});
