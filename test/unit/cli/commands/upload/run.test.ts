import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { uploadCommand } from '../../../../../src/cli/commands/upload/run.ts';
import type { CliContext } from '../../../../../src/cli/context.ts';
import { loadConfig } from '../../../../../src/config/config.ts';
import { withTempDir } from '../../../../support/temp-dir.ts';

it('reports each file of a folder whose name the purpose does not accept, and uploads nothing', () =>
  withTempDir(async (directory) => {
    const folder = join(directory, 'data');
    await mkdir(folder);
    for (const name of ['one.txt', 'two.md']) await writeFile(join(folder, name), 'x');
    const json: unknown[] = [];
    const env = { HOME: directory, LONGHAUL_HOST: 'host', OPENAI_API_KEY: 'sk' };
    const context = {
      config: loadConfig(env),
      env,
      note: () => {},
      json: (value: unknown) => void json.push(value),
      signal: new AbortController().signal,
    } as unknown as CliContext;
    const options = { purpose: 'batch', json: true, md5: true } as never;
    await expect(uploadCommand(context, [folder], options)).rejects.toThrow('2 files were skipped');
    expect(json).toEqual(
      ['one.txt', 'two.md'].map((name) => ({
        source: join(folder, name),
        error: { code: 'SourceUnusable', message: expect.stringContaining('must end in .jsonl. Upload it separately') },
      })),
    );
  }));
