import { expect, it } from 'vitest';
import { closed } from '../../../../src/core/text/clip.ts';
import { ConfigError, SourceMissingError } from '../../../../src/errors.ts';

it.each([
  ['set a key', 'set a key.'],
  ['it is missing. Restore it.', 'it is missing. Restore it.'],
  ['use "*.jsonl"', 'use "*.jsonl".'],
  ['too long…', 'too long…'],
])('closed ends %j with one period', (text, expected) => {
  expect(closed(text)).toBe(expected);
});

it('the messages of errors of the configuration and of sources end with a period', () => {
  expect(new ConfigError('set a key').message).toBe('set a key.');
  expect(new SourceMissingError({ name: 'x', reason: 'it is missing' }).messageFor('check')).toBe(
    'cannot check x: it is missing.',
  );
});
