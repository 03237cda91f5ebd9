import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { KEY, MiB, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

type Line = Readonly<Record<string, unknown>>;

const linesOf = (text: string): Line[] =>
  text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));

describe('the log of a worker process', () => {
  it("says of an attempt that failed which upload, part and attempt it was, and the service's id of the request", () =>
    withSystem(async (system) => {
      const { api, client, directory, environment, uploads } = system;
      const worker = startCli(['worker', '--slots', '1'], { ...environment, LONGHAUL_LOG_LEVEL: 'warn' });
      await until(() => worker.said().includes('worker on '), 'the worker to serve');
      const file = join(directory, 'logged.bin');
      await randomFile(file, 2 * MiB);
      api.faults.add({ route: 'part', kind: 'status', status: 503, retryAfterSeconds: 0, skip: 1 });
      const handle = await client.upload({ file, purpose: 'batch', partSizeBytes: MiB, concurrency: 1 });
      await handle.result();
      const failed = () => linesOf(worker.said()).filter(({ msg }) => msg === 'Activity failed');
      await until(() => failed().length === 1, 'the line');
      expect(failed()[0]).toMatchObject({
        level: 40,
        time: expect.any(Number),
        workflowId: handle.workflowId,
        activityType: 'uploadPart',
        uploadId: uploads()[0]?.id,
        destination: 'default',
        part: 2,
        attempt: 1,
        failureType: 'ApiUnavailable',
        status: 503,
        requestId: expect.stringMatching(/\S/),
      });
      expect(
        linesOf(worker.said()).filter(({ level }) => Number(level) < 40),
        'lines below the level',
      ).toEqual([]);
      expect(worker.said(), 'nobody asked for metrics').not.toContain('metrics on ');
      for (const secret of [KEY, file]) expect(worker.said()).not.toContain(secret);
      worker.child.kill('SIGTERM');
      await worker.ended;
    }));
});
