import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { UploadCommandOptions } from '../../../../../src/cli/commands/upload/options.ts';
import { checkReceipt, digestOf, writeReceipt } from '../../../../../src/cli/commands/upload/receipt.ts';
import { canMount, withMount } from '../../../../support/mount.ts';
import { withTempDir } from '../../../../support/temp-dir.ts';

it('a receipt replaces only a receipt or an empty file, and an unusable path is rejected first', () =>
  withTempDir(async (directory) => {
    const at = (name: string) => join(directory, name);
    const check = (path: string) =>
      checkReceipt({ receipt: path } as UploadCommandOptions, ['a.bin']).then(
        () => 'accepted',
        (error: unknown) => (error as Error).message.replaceAll(`${directory}/`, ''),
      );
    await writeFile(at('data.jsonl'), '{"a":"longhaul-receipt/1"}\n');
    await symlink(at('data.jsonl'), at('link'));
    await writeFile(at('empty'), '');
    await writeFile(at('compact'), '{"format":"longhaul-receipt/1","kind":"upload"}');
    await mkdir(at('folder'));
    execFileSync('mkfifo', [at('pipe')]);
    const before = await readdir(directory);

    const kept = (name: string) => `--receipt does not replace ${name}, which is not a receipt. Choose another path.`;
    for (const name of ['data.jsonl', 'link', 'pipe']) expect(await check(at(name))).toBe(kept(name));
    expect(await check('/dev/null')).toBe(kept('/dev/null'));
    expect(await check(at('folder'))).toContain('is a directory');
    expect(await check(at('missing/a'))).toContain('missing does not exist (ENOENT). Choose another path');
    expect(await check(at('data.jsonl/a'))).toContain('(ENOTDIR)');
    expect(await check(at('x'.repeat(300)))).toContain('the name is too long (ENAMETOOLONG)');
    for (const name of ['new', 'empty', 'compact', 'x'.repeat(250)]) expect(await check(at(name))).toBe('accepted');
    expect(await readdir(directory)).toEqual(before);

    await writeReceipt(at('x'.repeat(250)), { format: 'longhaul-receipt/1' } as never);
    expect(await check(at('x'.repeat(250)))).toBe('accepted');
    expect(await readFile(at('data.jsonl'), 'utf8')).toContain('{"a"');
  }));

it.skipIf(!canMount())('a receipt on a full disk is rejected before the upload', () =>
  withTempDir((directory) =>
    withMount(join(directory, 'full'), 'size=4k', async () => {
      await writeFile(join(directory, 'full/other'), 'x'.repeat(4096));
      const receipt = join(directory, 'full/receipt.json');
      await expect(checkReceipt({ receipt } as UploadCommandOptions, ['a.bin'])).rejects.toThrow(
        `cannot write the receipt ${receipt}: no space left on the disk (ENOSPC). Free some space, or choose another path with --receipt.`,
      );
      expect(await readdir(join(directory, 'full'))).toEqual(['other']);
    }),
  ),
);

it('a receipt replaces the target of a link, also if it is missing', () =>
  withTempDir(async (directory) => {
    const at = (name: string) => join(directory, name);
    await mkdir(at('folder'));
    await symlink('folder/receipt.json', at('link'));
    for (const kind of ['first', 'second']) {
      await checkReceipt({ receipt: at('link') } as UploadCommandOptions, ['a.bin']);
      await writeReceipt(at('link'), { format: 'longhaul-receipt/1', kind } as never);
      expect(await readFile(at('folder/receipt.json'), 'utf8')).toContain(kind);
    }
    expect(await readdir(directory)).toEqual(['folder', 'link']);
    expect((await lstat(at('link'))).isSymbolicLink()).toBe(true);
  }));

it('the digest of endless content stops after the expected bytes', async () => {
  async function* endless() {
    for (;;) yield Buffer.alloc(10);
  }
  expect(await digestOf(endless(), true, 25)).toMatchObject({ bytes: 30 });
});
