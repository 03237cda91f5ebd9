import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPipes } from '../../../../../src/cli/sources/spool/pipe-arguments.ts';
import { pathBehindDescriptor } from '../../../../../src/sources/file/paths.ts';
import { withTempDir } from '../../../../support/temp-dir.ts';

function withPipe(body: (pipe: string, directory: string) => Promise<void>): Promise<void> {
  return withTempDir((directory) => {
    const pipe = join(directory, 'pipe.jsonl');
    execFileSync('mkfifo', [pipe]);
    return body(pipe, directory);
  });
}

/** The message of the error for these arguments. */
async function refusal(...files: readonly string[]): Promise<string> {
  const { message } = await findPipes(files, {}).then(
    () => new Error('none'),
    (error: unknown) => error as Error,
  );
  return message;
}

describe('the pipes among the arguments of an upload', () => {
  it('include named pipes by name, also through links, and standard input without a name', () =>
    withPipe(async (pipe, directory) => {
      const file = join(directory, 'file');
      const link = join(directory, 'link.jsonl');
      await writeFile(file, 'x');
      await symlink('pipe.jsonl', link);
      const pipes = await findPipes([file, link, '-', 's3://bucket/key', join(directory, 'missing')], {});
      expect([...pipes].map(([name, { filename }]) => [name, filename])).toEqual([
        [link, 'link.jsonl'],
        ['-', undefined],
      ]);
      for (const name of ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']) {
        expect((await findPipes([name], {})).get(name)?.words.what).toBe(`standard input (${name})`);
      }
      expect(pipes.has(pipe)).toBe(false);
    }));

  it('cannot be the same pipe twice', () =>
    withPipe(async (pipe, directory) => {
      const link = join(directory, 'link');
      await symlink(pipe, link);
      expect(await refusal(pipe, pipe)).toMatch(/pipe\.jsonl is named twice, and a pipe can be read only once/);
      expect(await refusal(pipe, link)).toMatch(/pipe\.jsonl and .*link are the same pipe/);
      expect(await refusal('-', '/dev/stdin')).toMatch(/- and \/dev\/stdin are the same pipe/);
    }));

  it('cannot be a socket, a device, an output, or a descriptor that is not open', () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'socket');
      const server = createServer().listen(path);
      await once(server, 'listening');
      expect(await refusal(path)).toMatch(/socket: it is a socket, not a file\. Save its content to a file/);
      server.close();
      expect(await refusal('/dev/null')).toMatch(/^cannot upload \/dev\/null: it is a character device, not a file/);
      expect(await refusal('/dev/stdout')).toMatch(/is an output of this command/);
      expect(await refusal('/dev/fd/9999')).toMatch(/descriptor 9999 is not open .* such as sudo close it/);
    }));

  it.runIf(process.platform === 'linux')('cannot be a pipe that this process can write to', () =>
    withPipe(async (pipe) => {
      const both = openSync(pipe, 'r+');
      expect(await refusal(pipe)).toMatch(/is also open for writing in this process, so that it never ends/);
      expect(await refusal(`/dev/fd/${both}`)).toMatch(/never ends/);
      const writer = openSync(pipe, constants.O_WRONLY);
      expect(await refusal(`/dev/fd/${writer}`)).toMatch(/is open only for writing/);
      closeSync(both);
      closeSync(writer);
      expect(await refusal(pipe)).toBe('none');
    }),
  );

  it('must be in the permitted directories', () =>
    withPipe(async (pipe, directory) => {
      await expect(findPipes([pipe], { roots: [join(directory, 'other')] })).rejects.toMatchObject({
        code: 'SOURCE_FORBIDDEN',
      });
    }));
});

it.runIf(process.platform === 'linux')('a file descriptor of a file is replaced by its path', () =>
  withTempDir(async (directory) => {
    const file = join(directory, 'x.jsonl');
    await writeFile(file, 'x');
    const fd = openSync(file, 'r');
    expect(await pathBehindDescriptor(`/dev/fd/${fd}`)).toBe(file);
    expect(await pathBehindDescriptor(file)).toBe(file);
    closeSync(fd);
    expect(await pathBehindDescriptor(`/dev/fd/${fd}`)).toBe(`/dev/fd/${fd}`);
  }),
);
