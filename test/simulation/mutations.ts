/**
 * `npm run simulation-mutations [WORD …]`: removes one safeguard at a time from a copy of the project, and expects the
 * simulation to break a rule within 2,000 seeds, with a seed that breaks none in the built project. With words, it takes
 * only the safeguards that contain one of them.
 */
import { runIn, withMutant } from '../support/mutant.ts';
import { mutations } from './mutation-list.ts';

const RUNS = '2000';

const words = process.argv.slice(2);
for (const { kind, ...mutation } of mutations) {
  if (words.length > 0 && !words.some((word) => mutation.safeguard.includes(word))) continue;
  const simulate = async (directory: string, seed: string, runs: string) => {
    const range = ['--seed', seed, '--runs', runs, '--no-shrink', ...(kind ? [`--${kind}`] : [])];
    const printed = await runIn(directory, 'node', ['--import', 'tsx', 'test/simulation/main.ts', ...range]);
    if (!printed.includes(' per minute')) throw new Error(`the simulation did not run: ${printed}`);
    return /^seed (\d+) breaks .*$/m.exec(printed) ?? undefined;
  };
  const found = await withMutant(mutation, (copy) => simulate(copy, '1', RUNS));
  const isOfMutation = found !== undefined && (await simulate('.', found[1] as string, '1')) === undefined;
  if (!isOfMutation) process.exitCode = 1;
  const verdict = isOfMutation ? '' : found ? ', but so does the project without the mutation' : 'NOT DETECTED';
  process.stdout.write(`without "${mutation.safeguard}": ${found?.[0] ?? ''}${verdict}\n`);
}
