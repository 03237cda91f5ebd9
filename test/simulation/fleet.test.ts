import { describe, expect, it } from 'vitest';
import { CALM, type Action, type Plan, type When } from './plan.ts';
import { simulate } from './simulate.ts';

const SEEDS = [1];

/** Two pieces of three parts each. */
const SPLIT: Plan = { ...CALM, sizeBytes: 6 * 1024 * 1024, pieces: 2, evictChance: 0.1 };

const moments = {
  'while the first piece starts': { call: 'startPiece', nth: 1, plusMs: 0 },
  'when the first piece has started': { call: 'startPiece', nth: 1, plusMs: 20 },
  'while the first piece sends its parts': { call: 'addPart', nth: 2, plusMs: 50 },
  'when the first piece has ended': { call: 'endPiece', nth: 1, plusMs: 0 },
  'while the second piece starts': { call: 'startPiece', nth: 2, plusMs: 5 },
} as const satisfies Record<string, When>;

const pause: Action = { kind: 'pause', parts: 'finish' };
const controls: Readonly<Record<string, readonly Action[]>> = {
  'a pause': [pause],
  'a pause that stops parts': [{ kind: 'pause', parts: 'stop' }],
  'a pause and a resume before its report': [pause, { kind: 'resume' }],
  'a pause, a resume and a pause': [pause, { kind: 'resume' }, pause],
  'a retry': [{ kind: 'retry' }],
  'a retune': [{ kind: 'retune', input: { concurrency: 1 } }],
};

describe('a split upload and its pieces', () => {
  describe.each(Object.entries(moments))('%s', (_, when) => {
    it.each(Object.entries(controls))('apply %s and continue', async (_name, actions) => {
      for (const seed of SEEDS) {
        const { violations, trace, close } = await simulate(planOf(seed, when, actions));
        expect(violations, trace.join('\n')).toEqual([]);
        expect(close?.status, trace.join('\n')).toBe('completed');
        // No update is lost, or waits for a piece that has ended.
        const effects = trace.filter((line) => /(pause|resume|retry|retune) was completed/.test(line));
        expect(effects.length, trace.join('\n')).toBeGreaterThanOrEqual(actions.length);
      }
    });

    it.each(Object.entries(controls))('are cancelled if a cancellation follows %s', async (_name, actions) => {
      for (const seed of SEEDS) {
        const cancelled = planOf(seed, when, [...actions, { kind: 'cancel' }]);
        const { violations, trace, close } = await simulate(cancelled);
        expect(violations, trace.join('\n')).toEqual([]);
        expect(close?.status, trace.join('\n')).toBe('cancelled');
      }
    });
  });

  it('send no signal without a control or a wait', async () => {
    const { trace, close } = await simulate(SPLIT);
    expect(close?.status).toBe('completed');
    expect(trace.filter((line) => line.includes('signal'))).toEqual([]);
  });

  it('report the start and the end of a wait, once each', async () => {
    const fault = { kind: 'status', status: 403 } as const;
    const { trace, violations, close } = await simulate({ ...SPLIT, faults: [{ call: 'addPart', nth: 2, fault }] });
    expect(violations).toEqual([]);
    expect(close?.status).toBe('completed');
    expect(trace.filter((line) => line.includes('sent the signal report'))).toHaveLength(2);
  });
});

/** The actions follow each other within milliseconds. */
function planOf(seed: number, when: (typeof moments)[keyof typeof moments], actions: readonly Action[]): Plan {
  return {
    ...SPLIT,
    seed,
    actions: actions.map((action, index) => ({ when: { ...when, plusMs: when.plusMs + 7 * index }, action })),
  };
}
