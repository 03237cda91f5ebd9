import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from '../../../../src/core/text/shell-word.ts';

it('shellWord leaves IDs without special characters as they are', () => {
  expect(shellWord('longhaul-train.jsonl-d0cda671')).toBe('longhaul-train.jsonl-d0cda671');
});

it.each(['', 'my file', "it's", '$(id)', '`id`', 'a"b\\c', 'café*', 'a\nb'])('shellWord quotes %j', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })).toBe(text);
});
