import { describe, expect, it } from 'vitest';
import { checkSelection } from '../../../../../src/cli/commands/steer/selection.ts';

describe('the selection of a command that controls uploads', () => {
  it.each([
    ['empty', { ids: [] }, /nothing to pause\. Pass IDs .* or use --query/],
    ['IDs and a query', { ids: ['a'], query: 'b' }, /cannot combine IDs and --query\. Remove one/],
    ['an empty query', { ids: [], query: ' ', yes: true }, /--query must be a list filter, for example LonghaulState/],
    ['a query without a terminal', { ids: [], query: 'LonghaulState = "waiting"' }, /not a terminal\. Use --yes/],
  ])('is rejected if it is %s', (_, selection, words) => {
    expect(() => checkSelection(selection, 'pause', false)).toThrow(words);
  });

  it.each([
    ['a list of IDs', { ids: ['a', 'b'] }],
    ['a query without a prompt', { ids: [], query: 'LonghaulState = "waiting"', yes: true }],
  ])('can be %s', (_, selection) => {
    expect(() => checkSelection(selection, 'pause', false)).not.toThrow();
  });
});
