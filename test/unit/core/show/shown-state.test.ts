import { describe, expect, it } from 'vitest';
import { shownState } from '../../../../src/core/show/attributes.ts';

describe('the state that is shown', () => {
  it.each([
    ['uploading', false, false, 'uploading'],
    ['uploading', false, true, 'paused'],
    ['uploading', true, true, 'waiting'],
    ['creating', true, false, 'waiting'],
    ['completed', true, true, 'completed'],
    ['failed', true, false, 'failed'],
    ['cancelled', false, true, 'cancelled'],
  ])('of %s, waiting: %s, paused: %s, is %s', (state, isWaiting, isPaused, shown) => {
    expect(shownState(state, { isWaiting, isPaused })).toBe(shown);
  });
});
