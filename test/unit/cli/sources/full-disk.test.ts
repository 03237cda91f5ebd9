import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NamedRecords } from '../../../../src/cli/sources/named-records.ts';
import { sourceSettingsOf } from '../../../../src/cli/sources/source-settings.ts';
import { writeJsonFile } from '../../../../src/cli/sources/json-file.ts';
import { loadConfig } from '../../../../src/config/config.ts';
import { sealKeyOf } from '../../../../src/sources/source-settings.ts';
import { withFullDisk } from '../../../support/full-disk.ts';
import { canMount } from '../../../support/mount.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

const fullState = (disk: string) =>
  `cannot use the state directory ${disk}: no space left on the disk (ENOSPC). ` +
  'Free some space, or set LONGHAUL_STATE_DIR to a directory on another disk.';

/** Only root can mount a disk. */
describe.skipIf(!canMount())('a full disk of the state directory', () => {
  it('is reported for a record of sources, which leaves no partial file', () =>
    withTempDir((directory) =>
      withFullDisk(directory, async (disk, free) => {
        const records = new NamedRecords({ stateDir: disk });
        const add = () => records.add({ paths: ['/data/a'], objects: [], urls: [] }, ['id']);
        await expect(add()).rejects.toThrow(fullState(disk));
        expect(await readdir(join(disk, 'named'))).toEqual([]);
        await free();
        await add();
      }),
    ));

  it('leaves no incomplete key for sealed URL queries', () =>
    withTempDir((directory) =>
      withFullDisk(directory, async (disk, free) => {
        const seal = sealKeyOf(sourceSettingsOf(loadConfig({ LONGHAUL_STATE_DIR: disk }))) ?? (() => 'no key');
        expect(() => seal()).toThrow(fullState(disk));
        expect(await readdir(disk)).toEqual(['filler']);
        await free();
        expect(seal()).toMatch(/^[0-9a-f]{64}$/);
        expect(seal()).toBe(seal());
        expect((await stat(join(disk, 'seal-key'))).mode & 0o777).toBe(0o600);
      }),
    ));

  it('is reported with the path of a JSON file', () =>
    withTempDir((directory) =>
      withFullDisk(directory, async (disk) => {
        const path = join(disk, 'x.json');
        await expect(writeJsonFile(path, {})).rejects.toMatchObject({ code: 'ENOSPC', path });
      }),
    ));
});
