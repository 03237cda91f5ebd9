import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';

it('a service without our library starts, steers and reads an upload by name with plain JSON', () =>
  withSystem(
    async (system) => {
      const { temporalAddress, taskQueue, startWorker, directory, download } = system;
      await startWorker();
      const file = join(directory, 'from-go.jsonl');
      const content = await randomFile(file, 12 * MiB);
      const { path } = await temporalCliForTests();
      const temporal = async (...args: string[]) =>
        (await promisify(execFile)(path, [...args, '--address', temporalAddress])).stdout;

      const workflowId = `from-go-${taskQueue}`;
      const request = { source: { type: 'file', path: file }, purpose: 'batch', partSizeBytes: MiB, concurrency: 2 };
      const target = ['--workflow-id', workflowId];
      const start = ['workflow', 'start', '--type', 'uploadFile', '--task-queue', taskQueue, ...target];
      await temporal(...start, '--input', JSON.stringify(request));
      await partsReceived(system, 2);

      const pause = ['workflow', 'update', 'execute', ...target, '--name', 'pause', '--input', '{"parts":"finish"}'];
      expect(await temporal(...pause)).toMatch(/"state":\s*"paused"|paused/);
      const query = await temporal('workflow', 'query', ...target, '--type', 'progress', '-o', 'json');
      expect(JSON.parse(query)).toMatchObject({
        queryResult: [{ state: 'paused', bytesTotal: 12 * MiB, partsInFlight: 0 }],
      });
      await temporal('workflow', 'update', 'execute', ...target, '--name', 'retune', '--input', '{"concurrency":4}');
      await temporal('workflow', 'update', 'execute', ...target, '--name', 'resume');

      const outcome = JSON.parse(await temporal('workflow', 'result', ...target, '-o', 'json'));
      expect(outcome.result).toMatchObject({ workflowId, bytes: content.length, md5: md5(content), parts: 12 });
      expect(md5(await download(outcome.result.file.id))).toBe(md5(content));
    },
    { bandwidthBytesPerSecond: 5 * MiB },
  ));
