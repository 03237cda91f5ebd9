import { createHash, randomBytes } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
// The thread's file is loaded by its name, so this runs what was built.
import { hashFile } from '../../../dist/src/sources/digest/pass-thread.js';
import { openFileSource } from '../../../dist/src/sources/file/source.js';
import type { HashFileOptions } from '../../../src/sources/digest/pass-thread.ts';
import { realThreads } from '../../support/hash-in-process.ts';
import { withTempDir } from '../../support/temp-dir.ts';

type Task = Pick<HashFileOptions, 'source' | 'fingerprint' | 'sizeBytes'>;

const MiB = 1024 * 1024;
const content = randomBytes(48 * MiB + 123);
const md5 = createHash('md5').update(content).digest('hex');

async function withFile(body: (task: Task, path: string) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const path = join(directory, 'content');
    await writeFile(path, content);
    const reader = await openFileSource({ type: 'file', path });
    const { sizeBytes, fingerprint } = await reader.stat();
    await reader.close();
    await realThreads(() => body({ source: { type: 'file', path }, fingerprint, sizeBytes }, path));
  });
}

test('hashFile returns the MD5 of node:crypto, and resumes from any checkpoint', async () => {
  await withFile(async (task) => {
    const checkpoints: { offsetBytes: number; state: string }[] = [];
    const onCheckpoint = (checkpoint: (typeof checkpoints)[number]) => checkpoints.push(checkpoint);
    expect(await hashFile({ ...task, onCheckpoint, checkpointEveryMs: 0 })).toEqual({ md5 });
    expect(checkpoints.length).toBe(97);
    for (const resumeFrom of [checkpoints[0], checkpoints[20], checkpoints.at(-1)]) {
      expect(await hashFile({ ...task, resumeFrom })).toEqual({ md5 });
    }
  });
});

test('hashFile returns a checkpoint if it is aborted, and resumes from it', async () => {
  await withFile(async (task) => {
    const abort = new AbortController();
    const first = await hashFile({
      ...task,
      signal: abort.signal,
      checkpointEveryMs: 0,
      onCheckpoint: () => abort.abort(),
    });
    if (!('checkpoint' in first)) throw new Error('it was too fast to be stopped');
    expect(first.checkpoint.offsetBytes).toBeLessThan(task.sizeBytes);
    const again = await hashFile({
      ...task,
      signal: AbortSignal.abort(),
      resumeFrom: first.checkpoint,
    });
    if (!('checkpoint' in again)) throw new Error('an aborted signal gives a checkpoint as well');
    expect(await hashFile({ ...task, resumeFrom: again.checkpoint })).toEqual({ md5 });
  });
});

test('hashFile fails with SourceChanged if the file was replaced or is truncated', async () => {
  await withFile(async (task, path) => {
    await expect(hashFile({ ...task, fingerprint: 'other' })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    let isCut: Promise<void> | undefined;
    const hashing = hashFile({
      ...task,
      checkpointEveryMs: 0,
      onCheckpoint: () => {
        isCut ??= truncate(path, 5);
      },
    });
    await expect(hashing).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    await isCut;
    await expect(hashFile({ ...task, source: { type: 'file', path: `${path}-gone` } })).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
    });
  });
});

test('hashFile rejects if its thread fails', async () => {
  await withFile(async (task) => {
    const source = { type: 'no such type' } as unknown as Task['source'];
    await expect(hashFile({ ...task, source })).rejects.toThrow(/md5 thread/);
  });
});

test('hashFile reads only files in the roots, also in its thread', async () => {
  await withFile(async (task, path) => {
    const files = { roots: [dirname(path)] };
    expect(await hashFile({ ...task, files })).toEqual({ md5 });
    const outside = hashFile({ ...task, files: { roots: [`${dirname(path)}/other`] } });
    await expect(outside).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
  });
});
