import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { loadConfig } from '../../src/config/config.ts';
import {
  commandLineProblems,
  commandsOf,
  expectNone,
  longhaulArguments,
  readInlineCode,
  readSnippets,
} from '../support/snippets.ts';
import { syncRequestProblems, uploadRequestProblems } from '../../src/contracts/requests/problems.ts';
import { retuneProblems } from '../../workflows/shell/control-problems.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const snippets = readSnippets();
const of = (language: string) => snippets.filter((snippet) => snippet.language === language);
const commands = of('sh').flatMap(({ place, text }) => commandsOf(text).map((words) => ({ place, words })));

const directory = mkdtempSync(join(tmpdir(), 'longhaul-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Nothing here has a compiler for Go. Text without a language is output, a diagram or a formula. */
const unchecked = ['', 'go'];
const checked = ['ts', 'sh', 'json', 'yaml', 'python'];

/** What JSON of the docs can be, by its properties, and how it is checked. */
const kindsOfJson: readonly {
  readonly name: string;
  readonly has: readonly string[];
  readonly problems: (text: string) => readonly string[];
}[] = [
  { name: 'a config file', has: ['destinations'], problems: configProblems },
  { name: 'a config file', has: ['sources'], problems: configProblems },
  // Compiled as `UploadResult` by the integration tests.
  { name: 'the result of an upload', has: ['workflowId', 'file'], problems: () => [] },
  { name: 'a log line', has: ['level', 'time', 'msg'], problems: () => [] },
  { name: 'a request', has: ['source', 'purpose'], problems: (text) => uploadRequestProblems(JSON.parse(text)) },
];

/** What `temporal` gives to a workflow or an update of this name. */
const inputProblems: Readonly<Record<string, (input: unknown) => readonly string[]>> = {
  uploadFile: uploadRequestProblems,
  retune: retuneProblems,
  pause: (input) =>
    /^\{"parts":"(finish|stop)"\}$/.test(JSON.stringify(input)) ? [] : ['"parts" must be "finish" or "stop"'],
};

const request = { source: { type: 'file', path: '/a' }, purpose: 'batch' };
const connection = { destinations: { example: { baseUrl: 'https://example.com/v1' } } };

/** Where JSON in a sentence may belong: it is valid if one of these takes it. */
const placesOfJson: readonly ((value: object) => readonly string[])[] = [
  uploadRequestProblems,
  syncRequestProblems,
  (part) => uploadRequestProblems({ ...request, ...part }),
  (source) => uploadRequestProblems({ ...request, source }),
  (source) => syncRequestProblems({ ...request, source }),
  (range) => uploadRequestProblems({ ...request, source: { ...request.source, range } }),
  (sharedLimit) => uploadRequestProblems({ ...request, sharedLimit }),
  (input) => inputProblems['pause']?.(input) ?? [],
  retuneProblems,
  (config) => configProblems({ ...connection, ...config }),
  (part) => configProblems({ destinations: { example: { ...connection.destinations.example, ...part } } }),
  (apiKeyCommand) =>
    configProblems({ destinations: { example: { ...connection.destinations.example, apiKeyCommand } } }),
  (sources) => configProblems({ sources }),
  (http) => configProblems({ sources: { http } }),
  (example) => configProblems({ sources: { s3: { example } } }),
  // An error that a command prints with --json.
  (value) => (Object.keys(value).join() === 'code,message' ? [] : ['it has other properties']),
];

describe('the snippets of the README and of docs', () => {
  it('are in a language that this test can check', () => {
    expect(checked.filter((language) => of(language).length === 0)).toEqual([]);
    const others = snippets.filter(({ language }) => ![...checked, ...unchecked].includes(language));
    expectNone(
      others.map(({ place, language }) => `${place}: nothing checks a snippet of "${language}"`),
      `use one of ${checked.join(', ')}, or no language for output; another language needs a check in this test`,
    );
    expectNone(
      of('').flatMap(({ place, text }) =>
        /^\s*(\$ )?(npx |npm |longhaul [a-z]+ -)/m.test(text) ? [`${place}: looks like commands`] : [],
      ),
      'write ```sh before commands, so that they are checked',
    );
  });

  it('contain only existing commands, arguments and options of longhaul', async () => {
    const ours = commands.flatMap(({ place, words }) => {
      const args = longhaulArguments(words);
      // A schedule requires that its folder exists.
      return args ? [{ place, args: args.map((arg) => (arg === './data' ? directory : arg)) }] : [];
    });
    expect(ours.length).toBeGreaterThan(30);
    const problems = await Promise.all(
      ours.map(async ({ place, args }) =>
        (await commandLineProblems(args)).map((problem) => `${place}: longhaul ${args.join(' ')}: ${problem}`),
      ),
    );
    expectNone(problems.flat(), 'correct the command in the snippet, or add the option to src/cli');
  });

  it('name only scripts and files of the repository that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { scripts: object };
    const problems = commands.flatMap(({ place, words }) => [
      ...(words[0] === 'npm' && words[1] === 'run' && !((words[2] ?? '') in scripts)
        ? [`${place}: package.json has no script "${words[2]}"`]
        : []),
      ...words
        .filter((word) => /^(\.\/)?(deploy|test|docs|src)\//.test(word) && !existsSync(join(repository, word)))
        .map((word) => `${place}: ${word} not found`),
    ]);
    expectNone(problems, 'correct the name in the snippet');
  });

  it('are valid for bash', () => {
    const program = `for text; do bash --norc -n <<<"$text" 2>&1 || echo 'invalid'; printf '\\0'; done`;
    expectNone(
      rejected('sh', 'bash', ['--norc', '-c', program, '-']),
      'correct the snippet; output belongs in a snippet without a language',
    );
  });

  it('pass only input that the workflows accept to the temporal command', () => {
    const problems = commands.flatMap(({ place, words }) => {
      const text = wordAfter(words, '--input');
      if (words[0] !== 'temporal' || text === undefined) return [];
      const name = wordAfter(words, '--name') ?? wordAfter(words, '--type') ?? '';
      const check = inputProblems[name];
      if (!check) return [`${place}: nothing checks the input of "${name}"`];
      try {
        return check(JSON.parse(text)).map((problem) => `${place}: input of ${name}: ${problem}`);
      } catch (error) {
        return [`${place}: input of ${name}: ${(error as Error).message}`];
      }
    });
    expectNone(problems, 'correct the JSON after --input; a new update needs a line in inputProblems of this test');
  });

  it('are valid config files, requests or results, if they are JSON', () => {
    const problems = of('json').flatMap(({ place, text }) => {
      try {
        const properties = Object.keys(JSON.parse(text) as object);
        const kind = kindsOfJson.find(({ has }) => has.every((name) => properties.includes(name)));
        if (!kind) return [`${place}: JSON of no kind that has a check, with ${properties.join(', ')}`];
        return kind.problems(text).map((problem) => `${place}: as ${kind.name}: ${problem}`);
      } catch (error) {
        return [`${place}: ${(error as Error).message}`];
      }
    });
    expectNone(problems, 'correct the snippet; JSON of a new kind needs a line in kindsOfJson of this test');
    expect(of('json').filter(({ text }) => configProblems(text).length === 0).length).toBeGreaterThanOrEqual(3);
  });

  it('parse, if they are YAML', () => {
    const problems = of('yaml').flatMap(({ place, text }) =>
      parseDocument(text)
        .errors.slice(0, 1)
        .map(({ message }) => `${place}: ${message}`),
    );
    expectNone(problems, 'correct the snippet');
  });

  it('parse, if they are Python', ({ skip }) => {
    skip(!hasPython(), 'python3 is not installed');
    const program = `import ast, sys
for text in sys.argv[1:]:
  try: compile(text, "-", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
  except SyntaxError as error: sys.stdout.write(str(error))
  sys.stdout.write("\\0")`;
    expectNone(rejected('python', 'python3', ['-c', program]), 'correct the snippet');
  });
});

describe('the sentences of the README and of docs', () => {
  it('show only JSON that is valid where it is used', () => {
    const shown = readInlineCode().filter(({ text }) => /^\{\s*"/.test(text));
    expect(shown.length).toBeGreaterThan(8);
    const problems = shown.flatMap(({ place, text }) => {
      try {
        const value = JSON.parse(text.replaceAll('[...]', '["program"]')) as object;
        const isTaken = placesOfJson.some((problemsOf) => problemsOf(value).length === 0);
        return isTaken ? [] : [`${place}: no request, update or config file takes ${text}`];
      } catch (error) {
        return [`${place}: ${text}: ${(error as Error).message}`];
      }
    });
    expectNone(problems, 'correct the JSON; if it belongs somewhere else, add the place to placesOfJson of this test');
  });
});

function configProblems(config: string | object): string[] {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  const path = join(directory, 'config.json');
  writeFileSync(path, text, { mode: 0o600 });
  const variables = [...text.matchAll(/"\w+Env": "(\w+)"/g)].map(([, name]) => [name as string, 'x-canary']);
  try {
    loadConfig({ ...Object.fromEntries(variables), HOME: directory, LONGHAUL_CONFIG: path });
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Checks all texts in one process of a program, which returns a list of its messages, one for each text: '' if it is valid. */
function rejected(language: string, program: string, args: readonly string[]): string[] {
  const all = of(language);
  const output = execFileSync(program, [...args, ...all.map(({ text }) => text)], { encoding: 'utf8' });
  const messages = output.split('\0').slice(0, -1);
  expect(messages).toHaveLength(all.length);
  return messages.flatMap((message, index) => (message === '' ? [] : [`${all[index]?.place}: ${message.trim()}`]));
}

function wordAfter(words: readonly string[], option: string): string | undefined {
  const index = words.indexOf(option);
  return index < 0 ? undefined : words[index + 1];
}

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
