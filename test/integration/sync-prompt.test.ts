import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { filesAt } from '../support/sync-folder.ts';
import { withSystem } from '../support/system.ts';
import { withTerminal } from '../support/terminal.ts';
import { writeFiles } from '../support/temp-dir.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** Without colours and the like. */
// eslint-disable-next-line no-control-regex -- commands to a terminal start with one
const plain = (screen: string) => screen.replace(/\u001B\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');

describe('longhaul sync --delete on a terminal', () => {
  it('lists the Files and prompts: only "y" deletes, and exactly these Files', () =>
    withSystem(async (system) => {
      const { directory, environment } = system;
      await system.startWorker();
      const folder = join(directory, 'data');
      const sync = ['sync', folder, '--purpose', 'assistants'];
      await writeFiles(folder, { 'a.jsonl': 'a\n', 'b.jsonl': 'b\n', 'c.jsonl': 'c\n' });
      expect(await runCli([...sync, '--quiet'], environment)).toMatchObject({ code: 0 });
      await rm(join(folder, 'a.jsonl'));
      await rm(join(folder, 'c.jsonl'));
      const there = async () => [...(await filesAt(system)).keys()].toSorted();

      const answered = (keys: string, code: number, words: RegExp) =>
        withTerminal([...sync, '--delete'], environment, async ({ screen, shows, press, ended }) => {
          await shows(/delete these 2 Files\? \[y\/N\]/);
          expect(plain(screen())).toMatch(/delete {2}a\.jsonl .*\n.*delete {2}c\.jsonl .*\n/);
          expect(screen()).not.toContain('b.jsonl');
          press(keys);
          expect(await ended, screen()).toBe(code);
          expect(plain(screen())).toMatch(words);
        });
      await Promise.all([
        answered('n\r', 0, /changed nothing/),
        answered(CTRL_D, 0, /changed nothing/),
        answered(CTRL_C, 130, /\[y\/N\]\s*$/),
      ]);
      expect(await there()).toEqual(['a.jsonl', 'b.jsonl', 'c.jsonl']);

      await answered('y\r', 0, /2 deleted/);
      expect(await there()).toEqual(['b.jsonl']);
    }));
});
