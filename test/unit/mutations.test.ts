import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutations as ofChaos } from '../chaos/mutation-list.ts';
import { mutations as ofSimulation } from '../simulation/mutation-list.ts';

describe('the mutations of the chaos suite and of the simulation', () => {
  const mutations = [...ofChaos, ...ofSimulation].map((mutation) => [mutation.safeguard, mutation] as const);
  it.each(mutations)('match the source once: %s', (_, { file, from }) => {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(source.split(from)).toHaveLength(2);
  });
});
