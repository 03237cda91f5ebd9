import { execFile } from 'node:child_process';
import { open, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FailureType, type JobHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { beginCli, runCli } from '../support/cli.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { filesAt } from '../support/sync-folder.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { useDisk } from '../support/use-disk.ts';

useDisk();

const purpose = 'assistants';
const run = promisify(execFile);

/** As a remount of sshfs, mergerfs or FAT: another inode, the same size and modification time. */
async function remount(path: string, change?: (copy: string) => Promise<void>): Promise<void> {
  const copy = `${path}.copy`;
  await run('cp', ['-p', path, copy]);
  await change?.(copy);
  await run('touch', ['-r', path, copy]);
  const { ino, size } = await stat(path);
  await rename(copy, path);
  const after = await stat(path);
  expect(after.ino).not.toBe(ino);
  expect(after.size).toBe(size);
}

describe('an upload of a file whose inode changed, as by a remount', () => {
  const partSizeBytes = MiB;

  /** Starts an upload of 4 parts and pauses it after some of them. */
  async function withPaused(
    options: { readonly ignoreInode?: boolean },
    body: (system: System, handle: JobHandle<'upload'>, path: string, content: Buffer) => Promise<void>,
  ): Promise<void> {
    await withSystem(
      async (system) => {
        await system.startWorker();
        const file = join(system.directory, 'remounted.bin');
        const content = await randomFile(file, 4 * MiB);
        const handle = await system.client.upload({ file, purpose, partSizeBytes, concurrency: 1, ...options });
        await partsReceived(system, 1);
        await handle.pause();
        expect((await handle.status()).partsDone).toBeLessThan(4);
        system.api.configure({ bandwidthBytesPerSecond: null });
        await body(system, handle, file, content);
      },
      { bandwidthBytesPerSecond: 2 * MiB },
    );
  }

  it('continues with the recorded parts if the inode is ignored, and the same request attaches to it', () =>
    withPaused({ ignoreInode: true }, async ({ client, download, uploads }, handle, file, content) => {
      await remount(file);
      const again = await client.upload({ file, purpose, partSizeBytes, ignoreInode: true });
      expect([again.workflowId, again.resumed]).toEqual([handle.workflowId, true]);
      await handle.resume();
      const result = await handle.result();
      expect(result).toMatchObject({ parts: 4, partsSent: 4, sessions: 1, md5: md5(content) });
      expect(uploads()).toMatchObject([{ status: 'completed' }]);
      expect(md5(await download(result.file.id))).toBe(md5(content));
    }));

  it('that was started without the option is found by the same request with it', () =>
    withPaused({}, async ({ client, download }, handle, file, content) => {
      await remount(file);
      const again = await client.upload({ file, purpose, partSizeBytes, ignoreInode: true });
      expect([again.workflowId, again.resumed]).toEqual([handle.workflowId, true]);
      await handle.resume();
      const result = await again.result();
      expect(result).toMatchObject({ parts: 4, partsSent: 4, sessions: 1 });
      expect(md5(await download(result.file.id))).toBe(md5(content));
    }));

  it('of a killed command continues if the command is run again with the option', () =>
    withSystem(
      async (system) => {
        const file = join(system.directory, 'remounted.bin');
        const content = await randomFile(file, 6 * MiB);
        const environment = system.embedded;
        const args = ['upload', file, '--purpose', purpose, '--part-size', '1MiB', '--concurrency', '2', '--json'];
        const first = beginCli(args, environment);
        await partsReceived(system, 2);
        first.interrupt();
        expect((await first.ended).code).toBe(130);
        await remount(file);
        system.api.configure({ bandwidthBytesPerSecond: null });
        const second = await runCli([...args, '--ignore-inode'], environment);
        expect(second.code, second.stderr).toBe(0);
        const result = JSON.parse(second.stdout) as { partsSent: number; sessions: number; file: { id: string } };
        expect(result).toMatchObject({ resumed: true, sessions: 1, parts: 6 });
        expect(result.partsSent).toBeLessThanOrEqual(6 + 2);
        expect(system.uploads()).toHaveLength(1);
        expect(md5(await system.download(result.file.id))).toBe(md5(content));
      },
      { bandwidthBytesPerSecond: 2 * MiB },
    ));

  it('continues after a retune while it is paused', () =>
    withPaused({}, async ({ download, environment }, handle, file, content) => {
      await remount(file);
      const retuned = await runCli(['retune', handle.workflowId, '--ignore-inode'], environment);
      expect(retuned).toMatchObject({ code: 0 });
      await handle.resume();
      const result = await handle.result();
      expect(result).toMatchObject({ parts: 4, partsSent: 4, sessions: 1 });
      expect(md5(await download(result.file.id))).toBe(md5(content));
    }));

  it('fails with a clear message and without a File if the content changed too', () =>
    withPaused({ ignoreInode: true }, async (system, handle, file) => {
      await remount(file, async (copy) => {
        const copied = await open(copy, 'r+');
        // In a part that is recorded, and in one that is not.
        for (const offsetBytes of [100, 4 * MiB - 100]) await copied.write('other bytes', offsetBytes);
        await copied.close();
      });
      await handle.resume();
      await expect(handle.result()).rejects.toMatchObject({
        failureType: FailureType.SourceChanged,
        message: expect.stringMatching(/MD5 of the file does not match its parts: its inode .* No File was created/),
      });
      expect(system.uploads()).toMatchObject([{ status: 'cancelled' }]);
      expect(await filesAt(system)).toEqual(new Map());
    }));

  it('fails as before if the inode is not ignored', () =>
    withPaused({}, async (system, handle, file) => {
      await remount(file);
      await handle.resume();
      await expect(handle.result()).rejects.toMatchObject({ failureType: FailureType.SourceChanged });
      expect(await filesAt(system)).toEqual(new Map());
    }));

  it('is rejected by the command with options that would leave it unverified', () =>
    withSystem(async ({ environment, directory }) => {
      const file = join(directory, 'a.jsonl');
      await writeFile(file, '{}');
      const upload = (...args: string[]) =>
        runCli(['upload', file, '--purpose', purpose, '--ignore-inode', ...args], environment);
      for (const [option, message] of [
        ['--no-md5', 'requires the MD5'],
        ['--split', 'cannot be used with --split'],
      ] as const) {
        const { code, stderr } = await upload(option);
        expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
      }
    }));
});
