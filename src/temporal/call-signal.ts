import { setMaxListeners } from 'node:events';

/** Returns a signal for calls to Temporal. Each call leaves a listener on its signal, which must not stay on the given ones. */
export function callSignal(...signals: readonly AbortSignal[]): AbortSignal {
  const own = AbortSignal.any([...signals]);
  setMaxListeners(0, own);
  return own;
}
