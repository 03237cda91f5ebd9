import { afterEach, expect, it } from 'vitest';
import { KeyWatch } from '../../../src/worker/key-watch.ts';

let watch: KeyWatch | undefined;
afterEach(() => watch?.close());

/** The test reads the keys itself. */
const intervalMs = 3_600_000;

function scene(answers: Record<string, boolean> = {}) {
  const state = { key: 'old' as string | undefined, retried: [] as string[] };
  const keysOf = (name: string) => {
    if (name === 'fixed') return undefined;
    const current = () => state.key ?? Promise.reject(new Error('no key'));
    return { last: state.key, current };
  };
  const retry = async (workflowId: string) => {
    state.retried.push(workflowId);
    return answers[workflowId] ?? true;
  };
  watch = new KeyWatch({ keysOf, retry, intervalMs });
  return { state, watch };
}

it('retries the uploads of a rejected key after the key changes', async () => {
  const { state, watch: keys } = scene();
  keys.add('default', 'a', 'old');
  keys.add('default', 'b', 'old');
  keys.add('fixed', 'c', 'old');
  await keys.look();
  expect(state.retried).toEqual([]);
  state.key = 'new';
  await keys.look();
  await keys.look();
  expect(state.retried).toEqual(['a', 'b']);
});

it('immediately retries calls that were rejected with a key that has since changed', async () => {
  const { state, watch: keys } = scene();
  keys.add('default', 'a', 'older');
  await keys.look();
  expect(state.retried).toEqual(['a']);
});

it('waits for a missing key', async () => {
  const { state, watch: keys } = scene();
  state.key = undefined;
  keys.add('default', 'a', keys.keyOf('default'));
  await keys.look();
  expect(state.retried).toEqual([]);
  state.key = 'new';
  await keys.look();
  expect(state.retried).toEqual(['a']);
});

it('repeats a retry a few times if the upload was not waiting yet', async () => {
  const { state, watch: keys } = scene({ a: false });
  keys.add('default', 'a', 'older');
  for (let look = 0; look < 10; look++) await keys.look();
  expect(state.retried.length).toBe(5);
});
