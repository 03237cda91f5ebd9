import type { Bench } from '../bench.ts';
import { MiB } from '../measurement.ts';
import { createRatios } from '../report/comparison-table.ts';
import type { Figure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { runRounds, type Entry, type Results } from '../rounds.ts';
import { createLineup, describeSizes, throughputChart, toSection } from './comparison.ts';
import type { Scenario } from './scenario.ts';

/** All contenders, without encryption. */
export const loopback: Scenario = { name: 'loopback', isQuick: true, run };

async function run(bench: Bench): Promise<Section> {
  const { isQuick, concurrency, rounds } = bench.settings;
  const entry = await createLineup(bench);
  const entries: readonly Entry[] = [
    entry('Longhaul, part layer'),
    entry('curl'),
    entry('openai SDK, streaming'),
    entry('openai SDK, Blob'),
    entry('Longhaul, end to end'),
    entry('Longhaul, end to end, no MD5'),
    entry('Longhaul, part layer', { concurrency: 4 }),
    ...(isQuick ? [] : [entry('openai SDK, streaming', { concurrency: 4 })]),
    entry('openai SDK, streaming', { concurrency: 1 }),
    ...(isQuick
      ? []
      : [
          entry('Longhaul, part layer', { concurrency: 1 }),
          entry('curl', { concurrency: 1 }),
          entry('openai SDK, Blob', { concurrency: 1 }),
          entry('openai-python', { concurrency: 1 }),
          entry('openai-python', { concurrency: 1, partBytes: 8 * MiB }, '8 MiB parts'),
        ]),
  ];
  const results = await runRounds(bench, await bench.sink(), entries, rounds);
  const title = 'Over loopback to a minimal sink, plain';
  return toSection(
    `Over loopback to a minimal sink, plain HTTP. ${describeSizes(bench)} "× 8" means eight parts in flight.`,
    results,
    {
      charts: [throughputChart('loopback', title, results)],
      ratios: ratiosOf(results, concurrency),
    },
  );
}

function ratiosOf(results: Results, concurrency: number): Record<string, Figure> {
  const { speed, cpu } = createRatios(results, 'loopback');
  const layer = `Longhaul, part layer × ${concurrency}`;
  return {
    ...speed(layer, `curl × ${concurrency}`),
    ...cpu(layer, `curl × ${concurrency}`),
    ...speed(layer, `openai SDK, streaming × ${concurrency}`),
    ...speed(layer, `openai SDK, Blob × ${concurrency}`),
    ...speed('Longhaul, part layer × 1', 'curl × 1'),
    ...speed('Longhaul, part layer × 1', 'openai SDK, streaming × 1'),
    ...speed('Longhaul, part layer × 4', 'openai SDK, streaming × 1'),
    ...speed('Longhaul, part layer × 4', 'openai SDK, streaming × 4'),
    ...speed('Longhaul, part layer × 4', 'openai-python × 1'),
    ...speed('Longhaul, part layer × 4', 'openai-python × 1, 8 MiB parts'),
    ...speed(`Longhaul, end to end, no MD5 × ${concurrency}`, layer),
    ...speed(`Longhaul, end to end × ${concurrency}`, layer),
  };
}
