import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { filesAt, writeFiles } from '../support/sync-folder.ts';
import { withSystem } from '../support/system.ts';
import { startOnTerminal, whyNoTerminal } from '../support/terminal.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

const skipped = await whyNoTerminal();

describe.skipIf(skipped !== undefined)(
  `longhaul sync --delete on a terminal${skipped === undefined ? '' : ` (skipped: ${skipped})`}`,
  () => {
    it('shows what would go and asks: only "y" deletes, and exactly that', () =>
      withSystem(async (system) => {
        const { directory, environment } = system;
        await system.startWorker();
        const folder = join(directory, 'data');
        const sync = ['sync', folder, '--purpose', 'batch'];
        await writeFiles(folder, { 'a.jsonl': 'a\n', 'b.jsonl': 'b\n', 'c.jsonl': 'c\n' });
        expect(await runCli([...sync, '--quiet'], environment)).toMatchObject({ code: 0 });
        await rm(join(folder, 'a.jsonl'));
        await rm(join(folder, 'c.jsonl'));
        const there = async () => [...(await filesAt(system)).keys()].toSorted();

        const answered = async (keys: string, code: number, words: RegExp) => {
          const run = startOnTerminal([...sync, '--delete'], environment);
          await run.asked(/delete these 2 Files\? \[y\/N\]/);
          expect(run.shown()).toMatch(/delete {2}a\.jsonl .*\n.*delete {2}c\.jsonl .*\n/);
          expect(run.shown()).not.toContain('b.jsonl');
          run.type(keys);
          expect((await run.ended).code, run.shown()).toBe(code);
          expect(run.shown()).toMatch(words);
        };
        await Promise.all([
          answered('n\r', 0, /nothing was changed/),
          answered(CTRL_D, 0, /nothing was changed/),
          answered(CTRL_C, 130, /\[y\/N\]\s*$/),
        ]);
        expect(await there()).toEqual(['a.jsonl', 'b.jsonl', 'c.jsonl']);

        await answered('y\r', 0, /2 deleted/);
        expect(await there()).toEqual(['b.jsonl']);
      }));
  },
);
