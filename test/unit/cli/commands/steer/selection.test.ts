import { describe, expect, it } from 'vitest';
import { checkSelection } from '../../../../../src/cli/commands/steer/selection.ts';

describe('what a steering command is told to steer', () => {
  it.each([
    ['nothing', { ids: [] }, /nothing to pause: give ids .* or --query/],
    ['ids and a query', { ids: ['a'], query: 'b' }, /ids or --query, not both/],
    ['an empty query', { ids: [], query: ' ', yes: true }, /--query is empty/],
    ['a query where nobody can be asked', { ids: [], query: 'LonghaulState = "waiting"' }, /no terminal: add --yes/],
  ])('is refused when it is %s', (_, selection, words) => {
    expect(() => checkSelection(selection, 'pause', false)).toThrow(words);
  });

  it.each([
    ['ids', { ids: ['a', 'b'] }],
    ['a query that needs no question', { ids: [], query: 'LonghaulState = "waiting"', yes: true }],
  ])('may be %s', (_, selection) => {
    expect(() => checkSelection(selection, 'pause', false)).not.toThrow();
  });
});
