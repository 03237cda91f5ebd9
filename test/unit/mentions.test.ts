import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  commandsOf,
  expectNone,
  longhaulArguments,
  longhaulOptions,
  mentionProblems,
  readInlineCode,
  type InlineCode,
} from '../support/snippets.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Of docker compose, `deploy/without-containers.sh`, `npm run bench` and temporal. */
const optionsOfOthers = [
  '--profile',
  '--temporal-port',
  '--embedded',
  '--demo',
  '--parallel',
  '--quick',
  '--write-baseline',
  '--search-attribute',
  '--omit',
  '--ignore-scripts',
  '--external:longhaul',
];

function problemsOf(mentions: readonly InlineCode[]): string[] {
  return mentions.flatMap(({ place, text }) => {
    const args = longhaulArguments(commandsOf(text)[0] ?? []) ?? [];
    return mentionProblems(args).map((problem) => `${place}: ${text}: ${problem}`);
  });
}

/** Quoted texts of a file that start with `longhaul` and a word. */
function mentionsIn(path: string): InlineCode[] {
  const text = readFileSync(join(repository, path), 'utf8').replaceAll(/\\(?=["'`])/g, '');
  return text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/(["'`])(longhaul [a-z][^"'`]*)\1/g)].map(([, , mention]) => ({
      place: `${path}:${index + 1}`,
      text: (mention as string).replaceAll(/\$\{.*?\}|\{\{.*?\}\}/g, 'X'),
    })),
  );
}

describe('the sentences of the README and of docs', () => {
  it('name only existing commands and options of longhaul', () => {
    const mentions = readInlineCode().filter(({ text }) => longhaulArguments(commandsOf(text)[0] ?? []));
    expect(mentions.length).toBeGreaterThan(50);
    expectNone(problemsOf(mentions), 'correct the command in the sentence, or add the option to src/cli');
  });

  it('name only existing options of longhaul or of another program', () => {
    const known = new Set([...longhaulOptions(), ...optionsOfOthers]);
    const unknown = readInlineCode().flatMap(({ place, text }) =>
      (text.startsWith('--') ? text.split(/\s+/) : [])
        .map((word) => word.replace(/=.*/, ''))
        .filter((word) => /^--\w/.test(word) && !known.has(word))
        .map((word) => `${place}: no command of longhaul has the option ${word}`),
    );
    expectNone(unknown, 'correct the option in the sentence; one of another program goes into optionsOfOthers');
  });
});

it('messages and the files of deploy name only existing commands and options of longhaul', () => {
  const paths = ['src', 'workflows', 'activities', 'deploy'].flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  const mentions = paths
    .filter((path) => /\.(ts|ya?ml|json|sh)$/.test(path))
    .flatMap(mentionsIn)
    // What a sealing key is derived for.
    .filter(({ text }) => !text.startsWith('longhaul sealed query'));
  expect(mentions.length).toBeGreaterThan(40);
  expectNone(problemsOf(mentions), 'correct the command in the message, or add the option to src/cli');
});
