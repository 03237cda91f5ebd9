import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandFiles } from '../../../../src/cli/commands/upload/expand-files.ts';
import { pathOnDisk } from '../../../../src/sources/file/paths.ts';
import { Sources } from '../../../../src/sources/sources.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

const noBucket = { sources: new Sources({}), connection: undefined };
const [folder, file] = ['données'.normalize('NFD'), 'résumé.jsonl'.normalize('NFD')];

it('finds a path whose Unicode form differs from the one on the disk', () =>
  withTempDir(async (directory) => {
    await mkdir(join(directory, folder));
    await writeFile(join(directory, folder, file), 'x');
    const onDisk = join(directory, folder, file);
    const typed = onDisk.normalize('NFC');
    expect(typed).not.toBe(onDisk);
    expect(await pathOnDisk(typed)).toBe(onDisk);
    expect(await pathOnDisk(onDisk)).toBe(onDisk);
    expect(await pathOnDisk(`${typed}.missing`)).toBe(`${typed}.missing`);

    for (const glob of ['*.jsonl', 'r?sumé.*', '{résumé,other}.jsonl'])
      expect(await expandFiles([join(directory, 'données', glob)], noBucket)).toEqual({ files: [onDisk], skipped: [] });
    expect(await expandFiles([typed], noBucket)).toEqual({ files: [onDisk], skipped: [] });
    expect(await expandFiles([join(directory, 'données')], noBucket)).toEqual({ files: [onDisk], skipped: [] });
  }));

it('returns the path unchanged if it exists, or if several forms exist', () =>
  withTempDir(async (directory) => {
    // ANGSTROM SIGN, LATIN CAPITAL LETTER A WITH RING ABOVE, and its decomposition are one name.
    const [sign, letter, parts] = ['\u212B', '\u00C5', 'A\u030A'] as const;
    for (const name of [letter, parts]) await writeFile(join(directory, name), name);
    expect(await pathOnDisk(join(directory, letter))).toBe(join(directory, letter));
    expect(await pathOnDisk(join(directory, parts))).toBe(join(directory, parts));
    expect(await pathOnDisk(join(directory, sign))).toBe(join(directory, sign));
  }));
