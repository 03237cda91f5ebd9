export const faultKinds = ['status', 'reset', 'lost-answer', 'stall', 'expire', 'cancel', 'alter'] as const;

type FaultKind = (typeof faultKinds)[number];

/** The effect of a fault on a request. The simulation of `test/simulation` has the same faults. */
export interface FaultEffect {
  /** How the Upload ends before the request: it expires, or another client cancels it. */
  readonly endsUpload?: 'expired' | 'cancelled';
  /** Whether the service does the work of the request. */
  readonly works: boolean;
  /** What the client receives. */
  readonly response: 'result' | 'altered result' | 'error' | 'nothing';
}

const effects: Readonly<Record<FaultKind, FaultEffect>> = {
  status: { works: false, response: 'error' },
  stall: { works: false, response: 'nothing' },
  reset: { works: false, response: 'nothing' },
  'lost-answer': { works: true, response: 'nothing' },
  alter: { works: true, response: 'altered result' },
  expire: { endsUpload: 'expired', works: true, response: 'result' },
  cancel: { endsUpload: 'cancelled', works: true, response: 'result' },
};

/** @param afterWork for `status` and `stall`: whether the work is done before */
export function effectOf(kind: FaultKind, afterWork = false): FaultEffect {
  const effect = effects[kind];
  return afterWork ? { ...effect, works: true } : effect;
}
