/**
 * `npm run simulation-mutations [WORD …]`: removes one safeguard at a time from a copy of the project, and expects the
 * simulation to break a rule within 2,000 seeds. With words, it takes only the safeguards that contain one of them.
 */
import { runIn, withMutant } from '../support/mutant.ts';
import { mutations } from './mutation-list.ts';

const RUNS = '2000';

const words = process.argv.slice(2);
for (const mutation of mutations) {
  if (words.length > 0 && !words.some((word) => mutation.safeguard.includes(word))) continue;
  const simulate = ['--import', 'tsx', 'test/simulation/main.ts', '--seed', '1', '--runs', RUNS, '--no-shrink'];
  if (mutation.kind) simulate.push(`--${mutation.kind}`);
  const printed = await withMutant(mutation, (copy) => runIn(copy, 'node', simulate));
  const [found] = /^seed \d+ breaks .*$/m.exec(printed) ?? [];
  if (found === undefined) process.exitCode = 1;
  process.stdout.write(`without "${mutation.safeguard}": ${found ?? 'NOT DETECTED'}\n`);
}
