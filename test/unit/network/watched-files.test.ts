import { execFileSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileProblem, readSettingsFile } from '../../../src/network/watched-files.ts';
import { bundledProgram } from '../../support/bundled-program.ts';
import { withTempDir } from '../../support/temp-dir.ts';

it('a file of a setting is read without a byte order mark, within time and memory limits', () =>
  withTempDir(async (directory) => {
    const problemOf = (path: string): string => {
      try {
        return readSettingsFile(path, 1024);
      } catch (error) {
        return fileProblem(error);
      }
    };
    const [file, large, pipe] = ['file', 'large', 'pipe'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(file, '\uFEFFtext');
    await writeFile(large, '');
    await truncate(large, 1025);
    execFileSync('mkfifo', [pipe]);
    expect(problemOf(file)).toBe('text');
    expect(problemOf('/dev/null')).toBe('');
    expect(problemOf(large)).toBe('cannot be read: it is larger than 1 KiB');
    for (const path of [pipe, '/dev/zero']) expect(problemOf(path)).toBe('cannot be read: it is not a regular file');
    expect(problemOf(directory)).toBe('cannot be read: it is a directory (EISDIR)');
    expect(problemOf(join(directory, 'none'))).toBe('does not exist');
  }));

it('a pipe is read once, and has the same content for each reader', async () => {
  const code = await bundledProgram(
    `import { readSettingsFile as read } from './src/network/watched-files.ts'; process.stdout.write(read('/dev/fd/3') + read('/dev/fd/3'));`,
  );
  const script = `exec '${process.execPath}' --input-type=module -e "$CODE" 3< <(printf 'key ')`;
  const output = execFileSync('/bin/bash', ['-c', script], { env: { ...process.env, CODE: code }, encoding: 'utf8' });
  expect(output).toBe('key key ');
});
