import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { KeyFile } from '../../../src/keys/key-file.ts';
import { FILE_CHECK_INTERVAL_MS } from '../../../src/network/watched-files.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { useDisk } from '../../support/use-disk.ts';

useDisk();

afterEach(() => void vi.useRealTimers());

/** Only the clock: files need real timers. */
function freezeClock(): () => void {
  vi.useFakeTimers({ toFake: ['performance'] });
  return () => void vi.advanceTimersByTime(FILE_CHECK_INTERVAL_MS);
}

it('KeyFile reads a key again when its file changes, at most once per second', () =>
  withTempDir(async (dir) => {
    const pass = freezeClock();
    const path = join(dir, 'key');
    await writeFile(path, 'sk-1\n');
    const keys = new KeyFile(path, 'the file');
    expect(await keys.current()).toBe('sk-1');
    await writeFile(path, 'sk-2\n');
    expect(keys.current()).toBe('sk-1');
    pass();
    expect(await keys.current()).toBe('sk-2');
  }));

it('KeyFile detects a new file of the same size and modification time', () =>
  withTempDir(async (dir) => {
    const pass = freezeClock();
    const path = join(dir, 'key');
    const write = async (to: string, key: string) => {
      await writeFile(to, key);
      await utimes(to, 1000, 1000);
    };
    await write(path, 'sk-1');
    const keys = new KeyFile(path, 'the file');
    expect(await keys.current()).toBe('sk-1');
    await write(join(dir, 'new'), 'sk-2');
    await rename(join(dir, 'new'), path);
    pass();
    expect(await keys.current()).toBe('sk-2');
  }));

it('KeyFile follows a link whose target is replaced, as in Kubernetes', () =>
  withTempDir(async (dir) => {
    const pass = freezeClock();
    for (const [folder, key] of [
      ['1', 'sk-1'],
      ['2', 'sk-2'],
    ] as const) {
      await mkdir(join(dir, folder));
      await writeFile(join(dir, folder, 'key'), key);
    }
    await symlink('1', join(dir, '..data'));
    await symlink(join('..data', 'key'), join(dir, 'key'));
    const keys = new KeyFile(join(dir, 'key'), 'the file');
    expect(await keys.current()).toBe('sk-1');
    await symlink('2', join(dir, '..data_tmp'));
    await rename(join(dir, '..data_tmp'), join(dir, '..data'));
    pass();
    expect(await keys.current()).toBe('sk-2');
  }));

it('KeyFile keeps the last key while the file is missing, empty or not a key', () =>
  withTempDir(async (dir) => {
    const pass = freezeClock();
    const path = join(dir, 'key');
    await writeFile(path, 'sk-1');
    const keys = new KeyFile(path, 'the file');
    expect(await keys.current()).toBe('sk-1');
    for (const content of [undefined, '', 'a b', 'sk-1\nsk-2']) {
      await (content === undefined ? rm(path) : writeFile(path, content));
      pass();
      expect(await keys.current()).toBe('sk-1');
    }
    await writeFile(path, 'sk-3');
    pass();
    expect(await keys.current()).toBe('sk-3');
  }));

it('KeyFile returns another key after a rejection only if the file has one', () =>
  withTempDir(async (dir) => {
    freezeClock();
    const path = join(dir, 'key');
    await writeFile(path, 'sk-1');
    const keys = new KeyFile(path, 'the file');
    expect(await keys.current()).toBe('sk-1');
    expect(await keys.renewed('sk-1')).toBeUndefined();
    await writeFile(path, 'sk-2');
    expect(await Promise.all([keys.renewed('sk-1'), keys.renewed('sk-1')])).toEqual(['sk-2', 'sk-2']);
    await rm(path);
    expect(await keys.renewed('sk-2')).toBeUndefined();
  }));

it('KeyFile throws a ConfigError with the path until the file has had a key', () =>
  withTempDir(async (dir) => {
    const keys = new KeyFile(join(dir, 'key'), 'the file');
    await expect(keys.current()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: 'the file does not exist.' });
    await writeFile(join(dir, 'key'), 'sk-1');
    expect(await keys.current()).toBe('sk-1');
  }));
