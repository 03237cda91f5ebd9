import type { Bench } from '../bench.ts';
import { createRatios } from '../report/comparison-table.ts';
import type { Section } from '../report/section.ts';
import { runRounds } from '../rounds.ts';
import { createLineup, describeSizes, toSection } from './comparison.ts';
import type { Scenario } from './scenario.ts';

/** What a worker pays for serving metrics. */
export const metrics: Scenario = { name: 'metrics', isQuick: false, run };

async function run(bench: Bench): Promise<Section> {
  const { concurrency, rounds } = bench.settings;
  const entry = await createLineup(bench);
  const [without, withMetrics] = ['Longhaul, end to end, no MD5', 'Longhaul, end to end, no MD5, metrics'] as const;
  const results = await runRounds(bench, await bench.sink(), [entry(without), entry(withMetrics)], rounds);
  const { speed, cpu } = createRatios(results, 'metrics');
  const labels = [`${withMetrics} × ${concurrency}`, `${without} × ${concurrency}`] as const;
  const about = `A worker whose metrics are scraped every second, compared with a worker without metrics, over loopback and without MD5. ${describeSizes(bench)}`;
  return toSection(about, results, { ratios: { ...speed(...labels), ...cpu(...labels) } });
}
