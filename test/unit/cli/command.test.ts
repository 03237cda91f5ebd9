import { describe, expect, it, vi } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';

async function errorOf(line: string): Promise<{ message: string; exitCode: number }> {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const program = createProgram(process, () => {
      throw new Error('the command ran');
    });
    await program.parseAsync(line.split(' '), { from: 'user' });
  } catch (error) {
    const { message, exitCode } = error as { message: string; exitCode: number };
    return { message: message.replace(/\n/g, ' '), exitCode };
  } finally {
    stderr.mockRestore();
  }
  throw new Error('no error');
}

describe('a mistyped command line', () => {
  it.each([
    ['upload a --purpose batch --concurency 4', "unknown option '--concurency' (Did you mean --concurrency?)"],
    ['upload a --purse batch', "unknown option '--purse' (Did you mean --purpose?)"],
    ['upload a --purpse=batch', "unknown option '--purpse' (Did you mean --purpose?)"],
    ['upload -purpose batch a', "unknown option '-purpose' (Did you mean --purpose?)"],
    ['upload a --purpose batch --no-md5=yes', "option '--no-md5' has no value"],
    ['upload a --purpose batch --josn', "unknown option '--josn' (Did you mean --json?)"],
    ['upload a --purpose --json', "option '--purpose <purpose>' argument missing: '--json' is an option"],
    ['upload a --concurrency --purpose=batch', "option '--concurrency <n>' argument missing"],
    ['upload a --purpose batch --part-size', "option '--part-size <bytes>' argument missing"],
    ['sync a --purpose batch --exlude x', "unknown option '--exlude' (Did you mean --exclude?)"],
    ['sync a b --purpose batch', "too many arguments for 'sync': 'b'. Expected 1, got 2"],
    ['list 1 2 3 4 5', "too many arguments for 'list': '1', '2', '3' and 2 more"],
    ['sync  --purpose batch', 'an argument is empty. Check the variable'],
    ['cancel a  b', 'an argument is empty. Check the variable'],
    ['worker --slot 4', "unknown option '--slot' (Did you mean --slots?)"],
    ['retune id --limt 1MiB/s', "unknown option '--limt' (Did you mean --limit?)"],
    ['schedule backfill x --form 2026-01-01', "unknown option '--form' (Did you mean --from?)"],
    ['schedule create x --evry 6h -- sync a', "unknown option '--evry' (Did you mean --every?)"],
    ['schedule crate x', "unknown command 'crate' (Did you mean create?)"],
    ['uplaod x', "unknown command 'uplaod' (Did you mean upload?)"],
    ['backfill x', "unknown command 'backfill' (Did you mean schedule backfill?)"],
    ['help uplaod', "unknown command 'uplaod' (Did you mean upload?)"],
  ])('%s is reported by its name, with the nearest one', async (line, expected) => {
    const { message, exitCode } = await errorOf(line);
    expect(message).toContain(expected);
    expect(exitCode).toBe(1);
  });

  it('accepts an option as a value after =, and text after --', async () => {
    await expect(errorOf('upload --purpose=--json -- --a')).resolves.toMatchObject({ message: 'the command ran' });
  });

  it('shows the help of a command whose line has other errors', async () => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { message } = await errorOf('upload --purpse x --help').finally(() => stdout.mockRestore());
    expect(message).toBe('(outputHelp)');
  });
});
