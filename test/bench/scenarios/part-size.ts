import type { Bench } from '../bench.ts';
import { MiB, type Task } from '../measurement.ts';
import { peakOf } from '../report/comparison-table.ts';
import type { Figure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { runRounds, type Results } from '../rounds.ts';
import { createLineup, formatGib, toSection } from './comparison.ts';
import type { Scenario } from './scenario.ts';
import { sweepChart } from './sweep.ts';

/** Parts of 8, 16, 32 and 64 MiB. */
export const partSize: Scenario = { name: 'part-size', isQuick: false, run };

async function run(bench: Bench): Promise<Section> {
  const { fileBytes, concurrency, rounds } = bench.settings;
  const entry = await createLineup(bench);
  const entries = [64, 32, 16, 8].flatMap((mib) => {
    const change: Partial<Task> = { partBytes: mib * MiB };
    const remark = `${mib} MiB`;
    return [
      entry('Longhaul, part layer', change, remark),
      entry('curl', change, remark),
      entry('openai SDK, streaming', change, remark),
      entry('Longhaul, end to end, no MD5', change, remark),
    ];
  });
  const results = await runRounds(bench, await bench.sink(), entries, rounds);
  const chart = {
    name: 'part-size',
    title: 'Throughput by part size, loopback',
    xUnit: 'MiB per part',
    x: ({ partBytes }: Task) => partBytes / MiB,
  };
  const about = `Parts of 8 to 64 MiB over loopback, ${formatGib(fileBytes)}. Medians of ${rounds} rounds (minimum–maximum).`;
  return toSection(about, results, {
    charts: [sweepChart(chart, results)],
    figures: memoryFigures(results, concurrency),
  });
}

function memoryFigures(results: Results, concurrency: number): Record<string, Figure> {
  const peak = (mib: number) => peakOf(results, `Longhaul, part layer × ${concurrency}, ${mib} MiB`);
  const [large, small] = [peak(64), peak(8)];
  if (!large || !small) return {};
  const apart = Math.abs(large.median - small.median);
  return {
    'part-size: peak MiB at 64 MiB': large,
    'part-size: peak MiB apart': { median: apart, least: apart, most: apart },
  };
}
