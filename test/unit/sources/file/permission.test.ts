import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { access, link, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPathFilter } from '../../../../src/sources/listing/path-filter.ts';
import { Sources } from '../../../../src/sources/sources.ts';
import { confined, type SourceSettings } from '../../../../src/sources/source-settings.ts';
import { withTempDir, writeFiles } from '../../../support/temp-dir.ts';
import { useDisk } from '../../../support/use-disk.ts';

useDisk();

const everything = createPathFilter([], []);

/** The file system in memory that Linux has within the directory of devices. */
const MEMORY = '/dev/shm';
const hasMemory = await access(MEMORY, constants.W_OK).then(
  () => true,
  () => false,
);

async function outcome(path: string, settings: SourceSettings): Promise<string> {
  const sources = new Sources(settings);
  try {
    const reader = await sources.open({ type: 'file', path });
    await reader.close();
    return 'read';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a worker’s files', () => {
  it('are none without a root, and all with `any`', () =>
    withTempDir(async (folder) => {
      await writeFiles(folder, { x: 'x' });
      const path = join(folder, 'x');
      expect(await outcome(path, confined())).toBe('SOURCE_FORBIDDEN');
      expect(await outcome(path, confined({ files: { roots: [folder] } }))).toBe('read');
      expect(await outcome(path, confined({ files: { roots: [path] } }))).toBe('read');
      expect(await outcome(path, confined({ any: true, files: { roots: ['/nowhere'] } }))).toBe('read');
    }));

  it('never include secrets, also behind links and hard links, and after a key was replaced', () =>
    withTempDir(async (folder) => {
      await writeFiles(folder, { 'data/key': 'k', 'data/good': 'g', 'state/db': 'd' });
      const at = (...names: string[]) => join(folder, ...names);
      await link(at('data/key'), at('data/hard'));
      await symlink(at('data/key'), at('data/soft'));
      await symlink(at('state'), at('data/state'));
      await symlink('/proc', at('data/proc'));
      // As a mounted secret is: a link to the current version.
      await symlink(at('data/key'), at('key-link'));
      const protect = { files: [at('key-link')], folders: [at('state')] };
      for (const settings of [confined({ any: true, files: { protect } }), { files: { protect } }]) {
        for (const name of ['key', 'hard', 'soft', 'state/db', 'proc/self/environ', 'proc/self/no-such']) {
          expect(await outcome(at('data', name), settings), name).toBe('SOURCE_FORBIDDEN');
        }
        expect(await outcome(at('state/no-such'), settings)).toBe('SOURCE_FORBIDDEN');
        expect(await outcome(at('data/good'), settings)).toBe('read');
      }
      await writeFile(at('data/new'), 'n');
      await rename(at('data/new'), at('data/key'));
      expect(await outcome(at('data/key'), confined({ any: true, files: { protect } }))).toBe('SOURCE_FORBIDDEN');
    }));

  it('are forbidden behind a link that leads out of the roots, also if they are missing', () =>
    withTempDir(async (folder) => {
      await writeFiles(folder, { 'root/good': 'g', 'out/there': 't' });
      await symlink(join(folder, 'out'), join(folder, 'root/up'));
      await symlink('up/none', join(folder, 'root/dangling'));
      await symlink('loop', join(folder, 'root/loop'));
      const settings = confined({ files: { roots: [join(folder, 'root')] } });
      for (const name of ['up/there', 'up/none', 'up/none/deeper', 'dangling', 'up/../out/none', '../none']) {
        expect(await outcome(`${folder}/root/${name}`, settings), name).toBe('SOURCE_FORBIDDEN');
      }
      for (const name of ['none', 'none/deeper', 'loop']) {
        expect(await outcome(`${folder}/root/${name}`, settings), name).toBe('SOURCE_MISSING');
      }
      // A missing mount does not count as another path.
      expect(await outcome('/no-such-mount/x', confined({ files: { roots: ['/no-such-mount'] } }))).toBe(
        'SOURCE_MISSING',
      );
    }));

  it('include a copy in the state directory only for the command that requested it', () =>
    withTempDir(async (folder) => {
      await writeFiles(folder, { 'state/spool/a/x': 'x', 'state/spool/b/y': 'y', 'state/db': 'd', 'other/z': 'z' });
      const at = (name: string) => join(folder, name);
      const protect = { files: [], folders: [at('state')], copies: at('state/spool') };
      const record = { paths: [at('state/spool/a/x'), at('state/db'), at('other/z')], objects: [], urls: [] };
      await writeFiles(folder, { 'state/named/1.json': JSON.stringify(record), 'state/named/2.json': '{' });
      const named = (copiesOnly: boolean) => ({ directory: at('state/named'), copiesOnly });
      const worker = (copiesOnly: boolean) => confined({ files: { protect }, named: named(copiesOnly) });
      expect(await outcome(at('state/spool/a/x'), worker(true))).toBe('read');
      expect(await outcome(at('state/spool/b/y'), worker(true))).toBe('SOURCE_FORBIDDEN');
      expect(await outcome(at('other/z'), worker(true))).toBe('SOURCE_FORBIDDEN');
      expect(await outcome(at('other/z'), worker(false))).toBe('read');
      // Whatever a record names: no more of the state directory than copies.
      expect(await outcome(at('state/db'), worker(false))).toBe('SOURCE_FORBIDDEN');
      expect(await outcome(at('state/spool/b/y'), { ...worker(false), isOfCommand: true })).toBe('SOURCE_FORBIDDEN');
      expect(await outcome(at('other'), { ...confined(), isOfCommand: true })).toBe('SOURCE_NOT_NAMED');
      expect(await outcome(at('state/spool/b/y'), confined({ any: true, files: { protect } }))).toBe(
        'SOURCE_FORBIDDEN',
      );
      // The command itself.
      expect(await outcome(at('state/spool/b/y'), { files: { protect } })).toBe('read');
    }));
});

describe('the directory of devices', () => {
  it('is never read, also through links and `..`', () =>
    withTempDir(async (folder) => {
      await symlink('/dev', join(folder, 'devices'));
      const paths = ['/dev', '/dev/zero', '/dev/shmx', '/dev/shm/../zero', '/dev/mqueue/x', '/dev/fd/0', '/dev/stdin'];
      for (const path of [...paths, join(folder, 'devices/zero'), join(folder, 'devices/shm/../zero')]) {
        expect(await outcome(path, confined({ any: true })), path).toBe('SOURCE_FORBIDDEN');
      }
      const listing = new Sources(confined({ any: true })).list(
        { type: 'folder', path: '/dev' },
        { filter: everything },
      );
      await expect(listing).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
    }));

  it.skipIf(!hasMemory)('can contain a file system in memory, whose files are readable', () =>
    withTempDir(async (folder) => {
      const memory = await mkdtemp(join(MEMORY, 'longhaul-test-'));
      try {
        await writeFiles(memory, { good: 'g', 'sub/more': 'm', 'state/db': 'd', key: 'k' });
        await symlink('/dev/zero', join(memory, 'device'));
        await symlink('/proc/self/environ', join(memory, 'process'));
        await symlink(join(memory, 'key'), join(memory, 'link-to-key'));
        await symlink(memory, join(folder, 'link'));
        execFileSync('mkfifo', [join(memory, 'pipe')]);
        const protect = { files: [join(memory, 'key')], folders: [join(memory, 'state')] };
        for (const directory of [memory, join(folder, 'link')]) {
          const at = (name: string) => join(directory, name);
          for (const settings of [confined({ files: { protect, roots: [directory] } }), { files: { protect } }]) {
            for (const name of ['good', 'sub/more']) expect(await outcome(at(name), settings), name).toBe('read');
            for (const name of ['device', 'process', 'key', 'link-to-key', 'state/db']) {
              expect(await outcome(at(name), settings), name).toBe('SOURCE_FORBIDDEN');
            }
            expect(await outcome(at('pipe'), settings)).toBe('SOURCE_UNUSABLE');
            const sources = new Sources(settings);
            const listing = await sources.list({ type: 'folder', path: directory }, { filter: everything });
            expect(listing.entries.map(({ path }) => path)).toEqual(['good', 'sub/more']);
            const left = ['device', 'key', 'link-to-key', 'pipe', 'process', 'state'];
            expect(listing.leftOut.map(({ path }) => path)).toEqual(left);
          }
        }
      } finally {
        await rm(memory, { recursive: true });
      }
    }),
  );
});

describe('listing a folder of a worker', () => {
  it('excludes links to forbidden files, without showing their targets', () =>
    withTempDir(async (folder) => {
      const at = (name: string) => join(folder, name);
      await writeFiles(folder, { 'root/good': 'g', 'root/sub/key': 'k', 'out/hidden-name': '123456', 'more/m': 'm' });
      await symlink(at('out/hidden-name'), at('root/file'));
      await symlink(at('out'), at('root/folder'));
      await symlink(at('out/none'), at('root/nothing'));
      await symlink('none', at('root/broken'));
      await symlink(at('more'), at('root/more'));
      await symlink(at('root/sub'), at('root/inside'));
      await mkdir(at('root/deep'));
      await symlink('../../out', at('root/deep/up'));
      await link(at('root/sub/key'), at('root/hard'));
      const files = { roots: [at('root'), at('more')], protect: { files: [at('root/sub/key')], folders: [] } };
      const sources = new Sources(confined({ files }));
      const listing = await sources.list({ type: 'folder', path: at('root') }, { filter: everything });
      expect(listing.entries.map(({ path }) => path)).toEqual(['good', 'more/m']);
      const left = ['deep/up', 'file', 'folder', 'hard', 'inside', 'nothing', 'sub/key'];
      expect(listing.leftOut.map(({ path }) => path)).toEqual(left);
      expect([...listing.unseen].toSorted()).toEqual(left.filter((path) => path !== 'inside'));
      expect(listing.problems.map(({ path }) => path)).toEqual(['broken']);
      expect(JSON.stringify(listing)).not.toMatch(/hidden-name|\/out|none does not/);
    }));
});
