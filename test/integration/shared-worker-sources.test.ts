import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulClient } from 'longhaul';
import { expect, it } from 'vitest';
import { beginCli, beginWorker, startCli, type InProcessCli } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const named = ({ directory }: System) => readdir(join(directory, 'state', 'named')).catch((): string[] => []);

async function fileIn(system: System, folder: string, sizeBytes: number) {
  await mkdir(join(system.directory, folder));
  const path = join(system.directory, folder, `${folder}.bin`);
  return { path, content: await randomFile(path, sizeBytes) };
}

const upload = (path: string) =>
  `upload ${path} --purpose assistants --part-size 1MiB --heartbeat-timeout 2s --json`.split(' ');

async function expectFile(system: System, run: InProcessCli, content: Buffer): Promise<void> {
  const { code, stdout, stderr } = await run.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(md5(await system.download(JSON.parse(stdout).file.id))).toBe(md5(content));
}

it('commands share their sources: two at the same time, and one that was killed', () =>
  withSystem(
    async (system) => {
      const one = await fileIn(system, 'one', 6 * MiB);
      // Large enough to last until the parts of the killed command are given to them, at its heartbeat timeout.
      const two = await fileIn(system, 'two', 60 * MiB);
      const three = await fileIn(system, 'three', 60 * MiB);
      const interrupted = startCli(upload(one.path), system.embedded);
      await partsReceived(system, 1);
      interrupted.child.kill('SIGKILL');
      await interrupted.ended;

      const others = [two, three].map(({ path }) => beginCli([...upload(path), '--no-md5'], system.embedded));
      const isWhole = () => system.uploads().some(({ status, bytes }) => status === 'completed' && bytes === 6 * MiB);
      await until(isWhole, 'the others to carry the interrupted upload');
      system.api.configure({ bandwidthBytesPerSecond: null });
      await expectFile(system, others[0] as InProcessCli, two.content);
      await expectFile(system, others[1] as InProcessCli, three.content);
      await expectFile(system, beginCli(upload(one.path), system.embedded), one.content);
      expect(await named(system), 'no record outlives its upload').toEqual([]);
    },
    { bandwidthBytesPerSecond: 4 * MiB, ownServer: true },
  ));

it('the worker of a command does not read other sources, and leaves them to a worker that permits them', () =>
  withSystem(
    async (system) => {
      const own = await fileIn(system, 'own', 12 * MiB);
      const other = await fileIn(system, 'other', 12 * MiB);
      const command = beginCli(upload(own.path), system.embedded);
      await partsReceived(system, 1);
      const record = JSON.parse(await readFile(join(system.directory, 'state', 'server.json'), 'utf8'));
      const taskQueue = await queueOf(record.address);
      const client = await LonghaulClient.connect({ connection: { address: record.address }, taskQueue });
      try {
        const handle = await client.upload({ file: other.path, purpose: 'assistants', partSizeBytes: MiB });
        const rejected = async () => {
          const { raw } = await client.temporal.workflow.getHandle(handle.workflowId).describe();
          return JSON.stringify(raw.pendingActivities).includes('no command named');
        };
        await until(rejected, 'the command’s worker to have polled it');
        expect((await handle.describe()).status).toBe('RUNNING');

        const permitted = join(system.directory, 'other');
        await beginWorker(system.embedded, '--root', permitted);
        system.api.configure({ bandwidthBytesPerSecond: null });
        const { file } = await handle.result();
        expect(md5(await system.download(file.id))).toBe(md5(other.content));
        await expectFile(system, command, own.content);
      } finally {
        await client.close();
      }
    },
    { bandwidthBytesPerSecond: MiB, ownServer: true },
  ));

async function queueOf(address: string): Promise<string> {
  const client = await LonghaulClient.connect({ connection: { address } });
  try {
    for await (const { taskQueue } of client.list({ running: true })) return taskQueue;
    throw new Error('no upload runs');
  } finally {
    await client.close();
  }
}
