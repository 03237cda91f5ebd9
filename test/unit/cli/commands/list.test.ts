import { expect, it } from 'vitest';
import { nothingFound } from '../../../../src/cli/commands/list.ts';

it.each([
  [{}, 'no upload or sync found'],
  [{ running: true }, 'no upload or sync is running'],
  [{ state: 'completed' }, 'no upload or sync has the state completed'],
  [{ state: 'completed', running: true }, 'no running upload or sync has the state completed'],
] as const)('describes an empty list of %j', (options, text) => {
  expect(nothingFound(options)).toBe(text);
});
