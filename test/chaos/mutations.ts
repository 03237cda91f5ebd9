/**
 * `npm run chaos-mutations`: removes one safeguard at a time from a copy of the project, and expects the short chaos
 * suite to fail on this copy. A suite that passes without a safeguard does not test it.
 */
import { runIn, withMutant, type Mutation } from '../support/mutant.ts';
import { mutations } from './mutation-list.ts';

/** Returns the names of the runs that failed. */
async function failuresOf(mutation: Mutation): Promise<string[]> {
  return withMutant(mutation, async (copy) => {
    const vitest = ['vitest', 'run', '--config', 'test/vitest.config.ts', 'test/chaos', '--reporter', 'json'];
    const stdout = await runIn(copy, 'npx', vitest);
    const report = JSON.parse(stdout.slice(stdout.indexOf('{"num'))) as Report;
    const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    if (tests.length === 0) throw new Error('no test ran');
    return tests.filter(({ status }) => status === 'failed').map(({ title }) => title);
  });
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

for (const mutation of mutations) {
  const failures = await failuresOf(mutation);
  if (failures.length === 0) process.exitCode = 1;
  const verdict = failures.length === 0 ? 'NOT DETECTED' : `detected by: ${failures.join('; ')}`;
  console.log(`without "${mutation.safeguard}": ${verdict}`);
}
