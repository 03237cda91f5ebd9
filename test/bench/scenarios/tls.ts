import type { Bench } from '../bench.ts';
import { createRatios } from '../report/comparison-table.ts';
import type { Section } from '../report/section.ts';
import { runRounds, type Entry } from '../rounds.ts';
import { createLineup, describeSizes, throughputChart, toSection } from './comparison.ts';
import type { Scenario } from './scenario.ts';

/** The same with TLS, as every real service has it. */
export const tls: Scenario = { name: 'tls', isQuick: true, run };

async function run(bench: Bench): Promise<Section> {
  const { isQuick, concurrency, rounds } = bench.settings;
  const entry = await createLineup(bench, { scheme: 'https' });
  const entries: readonly Entry[] = [
    entry('Longhaul, part layer'),
    entry('curl'),
    entry('openai SDK, streaming'),
    ...(isQuick
      ? []
      : [
          entry('openai SDK, Blob'),
          entry('Longhaul, end to end'),
          entry('Longhaul, end to end, no MD5'),
          entry('openai-python', { concurrency: 1 }),
        ]),
  ];
  const results = await runRounds(bench, await bench.sink('https'), entries, rounds);
  const { speed, cpu } = createRatios(results, 'tls');
  const layer = `Longhaul, part layer × ${concurrency}`;
  return toSection(
    `Over loopback to the same sink with TLS, which needs much CPU time of the sink. ${describeSizes(bench)}`,
    results,
    {
      charts: [throughputChart('tls', 'Over loopback to a minimal sink, TLS', results)],
      ratios: {
        ...speed(layer, `curl × ${concurrency}`),
        ...cpu(layer, `curl × ${concurrency}`),
        ...speed(layer, `openai SDK, streaming × ${concurrency}`),
        ...speed(layer, `openai SDK, Blob × ${concurrency}`),
        ...speed(`Longhaul, end to end, no MD5 × ${concurrency}`, layer),
      },
    },
  );
}
