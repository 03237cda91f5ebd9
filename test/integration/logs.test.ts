import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCli } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { randomFile } from '../support/random-file.ts';
import { KEY, MiB, partsReceived, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

type Line = Readonly<Record<string, unknown>>;

const linesOf = (text: string): Line[] =>
  text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));

describe('the log of a worker process', () => {
  it('has a line for each failed attempt and each end of a job, and no other warning', () =>
    withSystem(
      async (system) => {
        const { api, client, directory, environment, uploads } = system;
        const start = (role: string, options: readonly string[] = [], variables: object = {}) =>
          startCli(['worker', '--roles', role, ...options], { ...environment, ...variables });
        const version = ['--deployment', `logs-${system.taskQueue}`, '--build-id', '1'];
        const transfer = start('transfer', ['--slots', '2'], { LONGHAUL_LOG_LEVEL: 'warn' });
        // The version is not current: its worker starts, idles and stops.
        const workers = [start('control'), transfer, start('control', version)];
        const said = () => workers.map((worker) => worker.said()).join('');
        await until(() => workers.every((worker) => worker.said().includes('worker on ')), 'the workers to serve');
        const upload = async (name: string, mebibytes: number, concurrency = 4) => {
          const file = join(directory, name);
          await randomFile(file, mebibytes * MiB);
          return client.upload({ file, purpose: 'assistants', partSizeBytes: MiB, concurrency });
        };

        api.faults.add({ route: 'part', kind: 'status', status: 503, retryAfterSeconds: 0, skip: 1 });
        const done = await upload('done.bin', 3, 1);
        const { file, uploadId } = await done.result();
        api.faults.add({ route: 'create', kind: 'status', status: 422 });
        const refused = await upload('refused.bin', 1);
        await expect(refused.result()).rejects.toThrow();
        const lines = join(directory, 'lines.jsonl');
        await linesFile(lines, 3 * MiB);
        const split = await client.uploadSplit({ file: lines, purpose: 'assistants', pieceSizeBytes: 2 * MiB });
        await split.result();
        const folder = join(directory, 'folder');
        await mkdir(folder);
        await writeFile(join(folder, 'small.txt'), 'small');
        const sync = await client.sync({ folder, purpose: 'assistants' });
        await sync.result();
        const byName = async (name: string, request: object) => {
          const workflowId = `${name}-${system.taskQueue}`;
          const options = { taskQueue: system.taskQueue, workflowId, args: [request] };
          const handle = await client.temporal.workflow.start('uploadFile', options);
          await expect(handle.result()).rejects.toThrow();
          return workflowId;
        };
        const rejected = await byName('rejected', { purpose: 'assistants' });
        const source = { type: 'file', path: join(directory, 'missing.bin') };
        const missing = await byName('missing', { source, purpose: 'assistants' });
        const cancelled = await upload('cancelled.bin', 16);
        await partsReceived(system, 8);
        await cancelled.pause({ parts: 'stop' });
        await cancelled.resume();
        const before = uploads().reduce((sum, { partsBegun }) => sum + partsBegun, 0);
        await until(() => uploads().reduce((sum, { partsBegun }) => sum + partsBegun, 0) > before + 1, 'further parts');
        await cancelled.cancel();
        await expect(cancelled.result()).rejects.toThrow();
        const terminated = await upload('terminated.bin', 8);
        await until(() => uploads().some((one) => one.filename === 'terminated.bin' && one.partsBegun > 1), 'parts');
        await client.temporal.workflow.getHandle(terminated.workflowId).terminate();
        await upload('stopped.bin', 8);
        await until(() => uploads().some((one) => one.filename === 'stopped.bin' && one.partsBegun > 1), 'parts');
        // A query replays the workflow, which must not print its line again.
        await done.status();
        for (const { child } of workers) child.kill('SIGTERM');
        for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });

        const isNote = (line: string) => line === '' || line.startsWith('{') || line.startsWith('worker on ');
        expect(
          said()
            .split('\n')
            .filter((line) => !isNote(line)),
        ).toEqual([]);
        const records = linesOf(said());
        const warnings = records.filter(({ level }) => Number(level) > 30);
        expect(linesOf(transfer.said()), 'no line below the level').toEqual(warnings);
        expect(warnings).toMatchObject([
          {
            level: 40,
            time: expect.any(Number),
            msg: 'Activity failed',
            workflowId: done.workflowId,
            activityType: 'uploadPart',
            uploadId,
            destination: 'default',
            part: 2,
            attempt: 1,
            failureType: 'ApiUnavailable',
            status: 503,
            requestId: expect.stringMatching(/\S/),
          },
        ]);
        expect(said(), 'metrics were not requested').not.toContain('metrics on ');
        for (const secret of [KEY, join(directory, 'done.bin')]) expect(transfer.said()).not.toContain(secret);
        const ends = records.filter(({ msg }) => /^(upload|sync) (completed|failed|cancelled): /.test(String(msg)));
        const lineOf = (workflowId: string) => ends.filter((end) => end['workflowId'] === workflowId);
        expect(lineOf(done.workflowId)).toMatchObject([
          {
            state: 'completed',
            filename: 'done.bin',
            bytes: 3 * MiB,
            durationMs: expect.any(Number),
            bytesPerSecond: expect.any(Number),
            uploadId,
            fileId: file.id,
            msg: expect.stringMatching(/^upload completed: done\.bin · 3 MiB in \d.*s \(.*\/s\) · file-\w+$/),
          },
        ]);
        expect(lineOf(refused.workflowId)).toMatchObject([
          {
            state: 'failed',
            filename: 'refused.bin',
            failureType: 'ApiRejected',
            status: 422,
            requestId: expect.stringMatching(/\S/),
            reason: expect.stringMatching(/422/),
            msg: expect.stringMatching(/^upload failed: refused\.bin · 0 B of 1 MiB recorded .* · ApiRejected: .*422/),
          },
        ]);
        expect(lineOf(cancelled.workflowId)).toMatchObject([
          { state: 'cancelled', msg: expect.stringMatching(/^upload cancelled: cancelled\.bin · \S+ MiB of 16 MiB/) },
        ]);
        expect(lineOf(split.workflowId)).toMatchObject([{ state: 'completed', files: 2 }]);
        expect(lineOf(sync.workflowId)).toMatchObject([{ state: 'completed', source: folder, files: 1, failed: 0 }]);
        expect(lineOf(rejected)).toMatchObject([{ state: 'failed', failureType: 'InvalidRequest' }]);
        expect(lineOf(missing)).toMatchObject([{ state: 'failed', failureType: 'SourceMissing' }]);
        const pieces = [1, 2].flatMap((number) => lineOf(`${split.workflowId}-0000${number}-of-00002`));
        expect(pieces).toHaveLength(2);
        expect(ends).toHaveLength(9);
      },
      { bandwidthBytesPerSecond: 3 * MiB },
    ));
});
