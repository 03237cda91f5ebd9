import { execFile } from 'node:child_process';
import { chmod, link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SyncResult } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { packMemory, unpackMemory } from '../../activities/sync/memory.ts';
import type { SyncMemory } from '../../src/contracts/sync.ts';
import { runCli } from '../support/cli.ts';
import { randomFile } from '../support/random-file.ts';
import { filesAt, runSync, decisionLines } from '../support/sync-folder.ts';
import { KEY, MiB, withSystem, type System } from '../support/system.ts';
import { writeFiles } from '../support/temp-dir.ts';
import { useDisk } from '../support/use-disk.ts';

useDisk();

const purpose = 'assistants';
const run = promisify(execFile);

/** Gives `path` the modification time of another file, to the nanosecond. */
const touchAs = (other: string, path: string) => run('touch', ['-r', other, path]);

async function withFolder(body: (system: System, folder: string) => Promise<void>): Promise<void> {
  await withSystem(async (system) => {
    const folder = join(system.directory, 'data');
    await mkdir(folder);
    await system.startWorker();
    await body(system, folder);
  });
}

async function planCalls({ client }: System, workflowId: string): Promise<number> {
  const { events } = await client.temporal.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'planSync')
    .length;
}

describe('a sync of files whose size and modification time are the same as before', () => {
  it('reads files with another change time or inode once, and sends those with changed content', () =>
    withFolder(async (system, folder) => {
      const at = (name: string) => join(folder, name);
      const names = ['rewritten', 'replaced', 'chmod', 'linked', 'moved-back', 'untouched'];
      await writeFiles(folder, Object.fromEntries(names.map((name) => [name, `before ${name}\n`])));
      await randomFile(at('large'), 3 * MiB);
      const sync = { folder, purpose };
      expect((await runSync(system, sync)).counts).toMatchObject({ sent: { files: 7 }, failed: 0 });
      expect((await runSync(system, sync)).counts).toMatchObject({ same: 7, knownContent: 0 });

      const aside = join(system.directory, 'aside');
      await mkdir(aside);
      for (const name of ['rewritten', 'replaced', 'moved-back']) await run('cp', ['-p', at(name), aside]);
      await writeFile(at('rewritten'), 'after! rewritten\n');
      await touchAs(join(aside, 'rewritten'), at('rewritten'));
      await writeFile(join(aside, 'other'), 'after! replaced\n');
      await touchAs(at('replaced'), join(aside, 'other'));
      await rename(join(aside, 'other'), at('replaced'));
      await rename(join(aside, 'moved-back'), at('moved-back'));
      await chmod(at('chmod'), 0o600);
      await chmod(at('large'), 0o600);
      await link(at('linked'), join(aside, 'linked'));

      const dry = await runSync(system, { ...sync, dryRun: true });
      const expected = [
        'upload changed replaced',
        'upload changed rewritten',
        ...['chmod', 'large', 'linked', 'moved-back'].map((name) => `skip known-content ${name}`),
      ];
      expect(decisionLines(dry.decisions).toSorted()).toEqual(expected.toSorted());
      const third = await runSync(system, sync);
      expect(third.counts).toMatchObject({ sent: { files: 2 }, knownContent: 4, same: 1, failed: 0 });
      const [, newest] = (await filesAt(system)).get('rewritten')?.toSorted() ?? [];
      expect(newest).toBeDefined();
      const contents = await Promise.all(
        (await filesAt(system)).get('rewritten')?.map(async (id) => (await system.download(id)).toString()) ?? [],
      );
      expect(contents.toSorted()).toEqual(['after! rewritten\n', 'before rewritten\n']);

      // A file that was read once is not read again.
      expect((await runSync(system, sync)).counts).toMatchObject({ same: 7, knownContent: 0, sent: { files: 0 } });
    }));

  it('sends nothing with the memory of an earlier version, and detects later changes', () =>
    withFolder(async (system, folder) => {
      const { client, taskQueue } = system;
      await writeFiles(folder, { 'a.jsonl': 'before a\n', 'b.jsonl': 'before b\n' });
      const request = { source: { type: 'folder', path: folder, host: client.host }, purpose } as const;
      const scope = { ...request, destination: 'default', prefix: '', include: [], exclude: [] };
      const sync = async (memory: SyncMemory | null, name: string) => {
        const workflowId = `${name}-${taskQueue}`;
        return client.temporal.workflow.execute<(...input: unknown[]) => Promise<SyncResult>>('syncSource', {
          workflowId,
          taskQueue,
          args: [request, { memory }],
        });
      };
      const first = await sync(null, 'first');
      const { entries } = await unpackMemory(scope, first.memory);
      expect(entries.map(({ change }) => typeof change)).toEqual(['string', 'string']);
      const earlier = await packMemory(
        scope,
        entries.map(({ change: _change, ...entry }) => entry),
      );
      const second = await sync(earlier, 'second');
      expect(second.counts).toMatchObject({ same: 2, knownContent: 0, sent: { files: 0 } });
      await run('cp', ['-p', join(folder, 'a.jsonl'), join(system.directory, 'a')]);
      await writeFile(join(folder, 'a.jsonl'), 'after! a\n');
      await touchAs(join(system.directory, 'a'), join(folder, 'a.jsonl'));
      expect((await sync(second.memory, 'third')).counts).toMatchObject({ same: 1, sent: { files: 1 } });
    }));

  it('reads hundreds of files in two calls, and does not read them again', () =>
    withFolder(async (system, folder) => {
      const copies = Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`copies/${index}`, 'content\n']));
      await writeFiles(folder, { original: 'content\n' });
      const sync = { folder, purpose };
      await runSync(system, sync);
      await writeFiles(folder, copies);
      const second = await runSync(system, sync);
      expect(second.counts).toMatchObject({ same: 1, knownContent: 700, sent: { files: 0 }, failed: 0 });
      // One call that only reads, and a batch for each 200.
      expect(await planCalls(system, second.workflowId)).toBe(1 + 4);
      const third = await runSync(system, sync);
      expect(third.counts).toMatchObject({ same: 1, knownContent: 700, sent: { files: 0 } });
      expect(await planCalls(system, third.workflowId)).toBe(1);
    }));
});

/** Makes a File with exactly this name, as an earlier version did. */
async function makeFile({ api }: System, filename: string, content: string): Promise<string> {
  const authorization = `Bearer ${KEY}`;
  const post = async (path: string, body: string | FormData, type?: string) => {
    const headers = { authorization, ...(type ? { 'content-type': type } : {}) };
    const answer = await fetch(`${api.url}${path}`, { method: 'POST', body, headers });
    return (await answer.json()) as { readonly id: string; readonly file?: { readonly id: string } };
  };
  const fields = { filename, purpose, bytes: Buffer.byteLength(content), mime_type: 'application/jsonl' };
  const { id } = await post('/uploads', JSON.stringify(fields), 'application/json');
  const form = new FormData();
  form.set('data', new Blob([content]), 'part');
  const part = await post(`/uploads/${id}/parts`, form);
  const completed = await post(`/uploads/${id}/complete`, JSON.stringify({ part_ids: [part.id] }), 'application/json');
  return completed.file?.id as string;
}

describe('names in NFD (macOS) and NFC (Linux)', () => {
  const [nfc, nfd] = ['NFC', 'NFD'].map((form) => 'école/résumé.jsonl'.normalize(form)) as [string, string];
  const fileName = nfc.replace('/', '__');

  it('are one File to a sync, in any form on the disk, in a glob or in the memory', () =>
    withFolder(async (system, folder) => {
      await writeFiles(folder, { [nfd]: 'content\n', 'plain.jsonl': 'plain\n' });
      const sync = { folder, purpose, include: ['école/*.jsonl'.normalize('NFC')] };
      expect((await runSync(system, sync)).counts).toMatchObject({ listed: { files: 1 }, sent: { files: 1 } });
      expect([...(await filesAt(system)).keys()]).toEqual([fileName]);
      expect((await runSync(system, sync)).counts).toMatchObject({ same: 1, sent: { files: 0 } });

      await mkdir(join(folder, 'école'.normalize('NFC')));
      await rename(join(folder, nfd), join(folder, nfc));
      await rm(join(folder, 'école'.normalize('NFD')), { recursive: true });
      const dry = await runSync(system, { ...sync, delete: true, dryRun: true });
      expect(dry.counts).toMatchObject({ toSend: { files: 0 }, toDelete: 0, knownContent: 1 });
      const excluding = { ...sync, exclude: ['résumé.*'.normalize('NFD')], delete: true };
      expect((await runSync(system, excluding)).counts).toMatchObject({ listed: { files: 0 }, deleted: 0 });
      await runSync(system, { ...sync, delete: true });
      expect([...(await filesAt(system)).values()]).toEqual([[expect.any(String)]]);
    }));

  it('send nothing again after an earlier version, whose Files and memory have NFD names', () =>
    withFolder(async (system, folder) => {
      const { client, taskQueue } = system;
      await writeFiles(folder, { [nfd]: 'content\n', 'plain.jsonl': 'plain\n' });
      const request = { source: { type: 'folder', path: folder, host: client.host }, purpose, delete: true } as const;
      const scope = { ...request, destination: 'default', prefix: '', include: [], exclude: [] };
      const sync = (memory: SyncMemory | null, name: string) =>
        client.temporal.workflow.execute<(...input: unknown[]) => Promise<SyncResult>>('syncSource', {
          workflowId: `${name}-${taskQueue}`,
          taskQueue,
          args: [request, { memory }],
        });
      const first = await sync(null, 'first');
      const { entries } = await unpackMemory(scope, first.memory);
      const sent = entries.find(({ path }) => path === nfd);
      await fetch(`${system.api.url}/files/${sent?.fileId}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${KEY}` },
      });
      const fileId = await makeFile(system, fileName.normalize('NFD'), 'content\n');
      const list = await fetch(`${system.api.url}/files/${fileId}`, { headers: { authorization: `Bearer ${KEY}` } });
      const { created_at: createdAt } = (await list.json()) as { created_at: number };
      const earlier = await packMemory(
        scope,
        entries.map((entry) => (entry.path === nfd ? { ...entry, fileId, createdAt } : entry)),
      );
      const second = await sync(earlier, 'second');
      expect(second.counts).toMatchObject({ same: 2, sent: { files: 0 }, toDelete: 0 });
      await rm(join(folder, nfd));
      expect((await sync(earlier, 'third')).counts).toMatchObject({ same: 1, deleted: 1 });
      expect([...(await filesAt(system)).keys()]).toEqual(['plain.jsonl']);
    }));

  it('in one folder become one File and one problem with the reason', () =>
    withFolder(async (system, folder) => {
      await writeFiles(folder, { [nfc]: 'nfc\n', [nfd]: 'nfd\n' });
      const { counts, problems } = await runSync(system, { folder, purpose });
      expect(counts).toMatchObject({ sent: { files: 1 }, failed: 1 });
      expect(problems).toEqual([
        {
          path: nfd,
          failureType: 'SourceUnusable',
          message: expect.stringContaining('only in its Unicode form (NFD, NFC)'),
        },
      ]);
      const [id] = (await filesAt(system)).get(fileName) ?? [];
      expect((await system.download(id as string)).toString()).toBe('nfc\n');
      expect((await runSync(system, { folder, purpose })).counts).toMatchObject({ same: 1, failed: 1 });
    }));

  it('are found by the command, and attach to the same upload', () =>
    withFolder(async (system, folder) => {
      await writeFiles(folder, { [nfd]: 'content\n' });
      const upload = (name: string) =>
        runCli(['upload', join(folder, name), '--purpose', purpose, '--json'], system.environment);
      const outputs = [await upload(nfc), await upload(nfd), await upload('école/*.jsonl'.normalize('NFC'))];
      const [first, ...others] = outputs.map(({ stdout, stderr }) => {
        expect(stdout, stderr).not.toBe('');
        return JSON.parse(stdout) as { workflowId: string; file: { id: string; filename: string } };
      });
      expect(first?.file.filename).toBe(fileName.split('__')[1]);
      expect(others.map(({ workflowId, file }) => [workflowId, file.id])).toEqual([
        [first?.workflowId, first?.file.id],
        [first?.workflowId, first?.file.id],
      ]);
    }));
});
