const overStates: readonly string[] = ['completed', 'failed', 'cancelled'];

/** The state that is told of a workflow: what holds it comes before what it would do, and the end before all. */
export function shownState<State extends string>(
  state: State,
  { isWaiting, isPaused }: { readonly isWaiting: boolean; readonly isPaused: boolean },
): State | 'waiting' | 'paused' {
  if (overStates.includes(state)) return state;
  if (isWaiting) return 'waiting';
  return isPaused ? 'paused' : state;
}
