import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { toScheduledWork } from '../../src/cli/commands/schedule/options.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface InlineCode {
  /** `docs/services.md:34`, for messages. */
  readonly place: string;
  readonly text: string;
}

export interface Snippet extends InlineCode {
  /** Such as `docs/services.md`. */
  readonly page: string;
  /** Line of the fence. */
  readonly line: number;
  /** Word after the fence. */
  readonly language: string;
  /** Rest of the line of the fence: `given connection` names a value that the page leaves to its reader. */
  readonly note: string;
}

const pages = (): string[] => {
  const docs = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.toSorted().map((name) => `docs/${name}`)];
};

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** The fence of a snippet, its text, and the fence at its end, which is as long or longer. */
const fenced = /^( *)(`{3,}|~{3,})(\w*)([^\n]*)\n(.*?)^ *\2[`~]* *$/gms;

/** Every fenced snippet of the README and of `docs`, in their order. */
export function readSnippets(): Snippet[] {
  return pages().flatMap((page) => {
    const text = readFileSync(join(repository, page), 'utf8');
    return [...text.matchAll(fenced)].map(({ index, ...match }) => ({
      page,
      line: lineOf(text, index),
      place: `${page}:${lineOf(text, index)}`,
      language: match[3] as string,
      note: (match[4] as string).trim(),
      text: (match[5] as string).replaceAll(new RegExp(`^${match[1]}`, 'gm'), ''),
    }));
  });
}

/** Every `code` in the sentences of the README and of `docs`. */
export function readInlineCode(): InlineCode[] {
  return pages().flatMap((page) => {
    const text = readFileSync(join(repository, page), 'utf8').replaceAll(fenced, (snippet) =>
      snippet.replaceAll(/[^\n]/g, ' '),
    );
    return [...text.matchAll(/(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/g)].map(({ index, 2: code }) => ({
      place: `${page}:${lineOf(text, index)}`,
      text: (code as string).trim().replaceAll('\\|', '|'),
    }));
  });
}

/** The commands of a shell snippet, each as its words, without quotes, comments and preceding variables. */
export function commandsOf(script: string): string[][] {
  const commands: string[][] = [[]];
  const token = /\\\n|#[^\n]*|\n|\s+|&&|\|\||[|;&]|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|;&])+/gs;
  for (const [text] of script.matchAll(token)) {
    if (/^\\\n$|^#/.test(text)) continue;
    if (text.includes('\n') || /^[|;&]+$/.test(text)) commands.push([]);
    else if (text.trim() !== '') commands.at(-1)?.push(unquoted(text));
  }
  return commands
    .map((words) => words.slice(words.findIndex((word) => !/^\w+=/.test(word))))
    .filter((words) => words.length > 0);
}

function unquoted(word: string): string {
  return word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs, (_, single, double, escaped) =>
    String(single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped),
  );
}

/** The words after `longhaul`, of a command that is `longhaul …` or `npx longhaul …`. */
export function longhaulArguments([first, ...rest]: readonly string[]): readonly string[] | undefined {
  if (first === 'npx') return longhaulArguments(rest);
  return first === 'longhaul' ? rest : undefined;
}

const neverRuns = (): Command =>
  createProgram(process, () => {
    throw new Error('the command must not run');
  });

/** Errors of Commander and of the values of options, for a command line of longhaul that is parsed and not run. */
export async function commandLineProblems(args: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  const parser = neverRuns();
  const quiet = (command: Command): void => {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} });
    command.exitOverride();
    if (command.parent) command.action(() => {});
    command.commands.forEach(quiet);
  };
  quiet(parser);
  try {
    await parser.parseAsync(args, { from: 'user' });
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    if (code !== 'commander.helpDisplayed' && code !== 'commander.version') problems.push(message);
  }
  const end = args.indexOf('--');
  if (end >= 0) await toScheduledWork(args.slice(end + 1), { host: 'here', destinations: new Map() }, problems);
  return problems;
}

/** Returns the commands and options of a mention that do not exist. Ignores values. */
export function mentionProblems(args: readonly string[]): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  let command = neverRuns();
  const words = args.slice(0, end);
  while (command.commands.length > 0 && /^\w/.test(words[0] ?? '')) {
    const name = words.shift() as string;
    const next = command.commands.find((one) => one.name() === name || one.aliases().includes(name));
    if (!next) return [`command "${name}" not found`];
    command = next;
  }
  const known = ['-h', '--help', ...(command.parent ? [] : ['--version'])];
  for (const { short, long } of command.options) known.push(...[short, long].filter((flag) => flag !== undefined));
  const unknown = words.filter((word) => /^-./.test(word)).map((word) => word.replace(/=.*/s, ''));
  return [
    ...unknown.filter((flag) => !known.includes(flag)).map((flag) => `${command.name()} has no option ${flag}`),
    ...(end < args.length ? mentionProblems(args.slice(end + 1)) : []),
  ];
}

/** The long options of all commands. */
export function longhaulOptions(command = neverRuns()): ReadonlySet<string | undefined> {
  const own = command.options.map(({ long }) => long);
  return new Set(['--help', ...own, ...command.commands.flatMap((one) => [...longhaulOptions(one)])]);
}

/** @throws an error with every problem, one on each line, and what to do */
export function expectNone(problems: readonly string[], advice: string): void {
  if (problems.length > 0) throw new Error(`${problems.join('\n')}\n→ ${advice}`);
}
