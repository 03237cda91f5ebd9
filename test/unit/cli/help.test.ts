import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';

const program = createProgram(process, () => {
  throw new Error('no command runs');
});
const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
const commands = all(program).map((command) => ({ name: command.name(), command }));

/** First words of the descriptions of commands, and of options without a value. */
const verbs =
  `abort accept add cancel change check compare continue count create delete download exit follow keep list manage pause
  permit print register resume retry run show skip split start sync upload`.split(/\s+/);

function problemsOf(text: string): string[] {
  return [
    ...(text.length > 80 ? [`${text.length} characters`] : []),
    ...(/^[a-z]|^[A-Z0-9]{2}/.test(text) ? [] : ['starts with a capital or a sign']),
    ...(/[.;?!]$|; |\. [A-Z]/.test(text) ? ['is not one clause without a period'] : []),
    ...(/may be repeated|so (many|much|long)|\bmost\b/.test(text) ? ['is not plain'] : []),
  ];
}

const startsWithVerb = (text: string) => verbs.includes(text.split(' ', 1)[0] as string);

describe('the help of', () => {
  it.each(commands)('$name describes the command with one short imperative clause', ({ command }) => {
    const text = command.description();
    expect([...problemsOf(text), ...(startsWithVerb(text) ? [] : ['does not start with a verb'])], text).toEqual([]);
  });

  it.each(commands)('$name describes options with a value by a noun, and others by a verb', ({ command }) => {
    const problems = command.options
      .filter(({ long }) => long !== '--version')
      .flatMap(({ long, description, required, optional }) => {
        const isVerb = startsWithVerb(description);
        const form = isVerb === (required || optional) ? ['has the wrong form'] : [];
        return [...problemsOf(description), ...form].map((problem) => `${long}: ${description}: ${problem}`);
      });
    expect(problems.join('\n')).toBe('');
  });

  it.each(commands)('$name shows the default of an option once', ({ command }) => {
    const help = command.createHelp();
    const defaults = command.options.map((option) => help.optionDescription(option).split('default: ').length - 1);
    expect(Math.max(0, ...defaults)).toBeLessThanOrEqual(1);
  });
});
