import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { proseOf } from './prose.ts';

/*
 * Searches the README, docs, deploy, docker-compose.yml, and the comments and strings of TypeScript for words and
 * phrases that the style of the project replaces, and prints each with its place. `npm run check` runs it.
 */

/** This file, which contains these words, is excluded. */
const thisFile = 'test/docs/plain-english.ts';

const phrases = [
  'go(?:es)? on',
  'went on',
  'at once',
  'for good',
  'for ever',
  'once more',
  'so (?:many|much|long)',
  '(?:is|are) no (?!longer)[a-z]+',
  'is none',
  'there is no',
  'any more',
  'by (?:itself|themselves)',
  'of (?:its|your|their|our|his) own',
  'left out',
  'leaves? out',
  'in vain',
  'of no use',
  'made up for',
  'broken off',
  'breaks? off',
  'under way',
  'how far',
];

const words = `afresh anew began begins begun beside besides circle circles deed deeds everybody half-way lack
  lacking lacks learnt lies meanwhile mend mended mending mends nobody patience patiently picture pictures processor
  refuses seldom somebody stands stood telling tells told trouble troubles twins vain wanted wants whichever whoever`;

const avoided = new RegExp(`\\b(?:${[...phrases, ...words.split(/\s+/)].join('|')})\\b`, 'gi');

/** In prose, these are MD5 and ID. */
const lowerCase = /\b(?:md5|id)s?\b/g;

function problemsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  const isMarkdown = path.endsWith('.md');
  const patterns = isMarkdown ? [avoided, lowerCase] : [avoided];
  return proseOf(path, text)
    .split('\n')
    .flatMap((line, index) =>
      patterns.flatMap((pattern) => [...line.matchAll(pattern)].map(([found]) => `${path}:${index + 1}: ${found}`)),
    );
}

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const files = execFileSync('git', ['ls-files', 'README.md', 'docs/*.md', 'deploy', 'docker-compose.yml', '*.ts'], {
  encoding: 'utf8',
});
const problems = files
  .trim()
  .split('\n')
  .filter((path) => path !== thisFile)
  .flatMap(problemsOf);
if (problems.length > 0) {
  process.stderr.write(
    `${problems.join('\n')}\nRewrite these sentences in plain English: name the actor and the action.\n`,
  );
  process.exitCode = 1;
}
