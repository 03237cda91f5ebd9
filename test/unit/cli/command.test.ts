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
    ['upload a --purpose batch --concurency 4', "unknown option '--concurency'. Use --concurrency, or see "],
    ['upload a --purse batch', "unknown option '--purse'. Use --purpose, or see "],
    ['upload a --purpse=batch', "unknown option '--purpse'. Use --purpose, or see "],
    ['upload -purpose batch a', "unknown option '-purpose'. Use --purpose, or see "],
    ['upload a --purpose batch --no-md5=yes', "option '--no-md5' has no value"],
    ['upload a --purpose batch --josn', "unknown option '--josn'. Use --json, or see "],
    ['upload a --purpose --json', "option '--purpose <purpose>' argument missing: '--json' is an option"],
    ['upload a --concurrency --purpose=batch', "option '--concurrency <n>' argument missing"],
    ['upload a --purpose batch --part-size', "option '--part-size <bytes>' argument missing"],
    ['sync a --purpose batch --exlude x', "unknown option '--exlude'. Use --exclude, or see "],
    ['sync a b --purpose batch', "too many arguments for 'sync': 'b'. Expected 1, got 2"],
    ['list 1 2 3 4 5', "too many arguments for 'list': '1', '2', '3' and 2 more"],
    ['sync  --purpose batch', 'an argument is empty. Check the variable'],
    ['cancel a  b', 'an argument is empty. Check the variable'],
    ['worker --slot 4', "unknown option '--slot'. Use --slots, or see "],
    ['retune id --limt 1MiB/s', "unknown option '--limt'. Use --limit, or see "],
    ['schedule backfill x --form 2026-01-01', "unknown option '--form'. Use --from, or see "],
    ['schedule create x --evry 6h -- sync a', "unknown option '--evry'. Use --every, or see "],
    ['schedule crate x', "unknown command 'crate'. Use create, or see "],
    ['uplaod x', "unknown command 'uplaod'. Use upload, or see "],
    ['backfill x', "unknown command 'backfill'. Use schedule backfill, or see "],
    ['help uplaod', "unknown command 'uplaod'. Use upload, or see "],
  ])('%s is reported by its name, with the nearest one', async (line, expected) => {
    const { message, exitCode } = await errorOf(line);
    expect(message).toContain(expected);
    expect(exitCode).toBe(1);
  });

  it.each([
    ['uplod x', 'unknown command \'uplod\'. Use upload, or see "longhaul --help".'],
    ['frobnicate', 'unknown command \'frobnicate\'. See "longhaul --help".'],
    ['schedule frobnicate', 'unknown command \'frobnicate\'. See "longhaul schedule --help".'],
    ['list --xyzzy', 'unknown option \'--xyzzy\'. See "longhaul list --help".'],
    ['upload x', 'required option \'--purpose <purpose>\' not specified. See "longhaul upload --help".'],
    ['schedule show', 'missing required argument \'name\'. See "longhaul schedule show --help".'],
    ['list --limit', 'option \'--limit <n>\' argument missing. See "longhaul list --help".'],
    ['list --limit x', "option '--limit <n>' argument 'x' is invalid. Use a whole number from 1 to 1000000."],
  ])('%s is reported in one line with a fix', async (line, expected) => {
    expect((await errorOf(line)).message).toBe(`error: ${expected}`);
  });

  it.each(['upload x --purpose=batch --id=', 'sync x --purpose  --id y', 'worker --bucket '])(
    '%j is rejected for its empty value',
    async (line) => {
      expect((await errorOf(line)).message).toMatch(/argument is empty\. Check the variable that contains it\.$/);
    },
  );

  it.each(['schedule pause x --note=', 'sync x --purpose=batch --prefix='])('accepts the empty value of %s', (line) =>
    expect(errorOf(line)).resolves.toMatchObject({ message: 'the command ran' }),
  );

  it('accepts an option as a value after =, and text after --', async () => {
    await expect(errorOf('upload --purpose=--json -- --a')).resolves.toMatchObject({ message: 'the command ran' });
  });

  it('shows the help of a command whose line has other errors', async () => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { message } = await errorOf('upload --purpse x --help').finally(() => stdout.mockRestore());
    expect(message).toBe('(outputHelp)');
  });
});
