import type { Bench } from '../bench.ts';
import type { Section } from '../report/section.ts';
import { runRounds } from '../rounds.ts';
import { createLineup, describeSizes, toSection } from './comparison.ts';
import type { Scenario } from './scenario.ts';
import { sweepChart } from './sweep.ts';

/** 1, 4, 8 and 16 parts in flight. */
export const inFlight: Scenario = { name: 'in-flight', isQuick: false, run };

async function run(bench: Bench): Promise<Section> {
  const entry = await createLineup(bench);
  const entries = [1, 4, 8, 16].flatMap((concurrency) => [
    entry('Longhaul, part layer', { concurrency }),
    entry('curl', { concurrency }),
    entry('openai SDK, streaming', { concurrency }),
    entry('Longhaul, end to end, no MD5', { concurrency }),
  ]);
  const results = await runRounds(bench, await bench.sink(), entries, bench.settings.rounds);
  const chart = {
    name: 'in-flight',
    title: 'Throughput by parts in flight, loopback',
    xUnit: 'parts in flight',
    x: ({ concurrency }: { readonly concurrency: number }) => concurrency,
  };
  return toSection(`1 to 16 parts in flight over loopback. ${describeSizes(bench)}`, results, {
    charts: [sweepChart(chart, results)],
  });
}
