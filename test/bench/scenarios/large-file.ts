import type { Bench } from '../bench.ts';
import type { Section } from '../report/section.ts';
import { runRounds } from '../rounds.ts';
import { createLineup, describeSizes, throughputChart, toSection } from './comparison.ts';
import type { Scenario } from './scenario.ts';

/** The largest file that the service takes. */
export const largeFile: Scenario = { name: 'large-file', isQuick: false, run };

async function run(bench: Bench): Promise<Section> {
  const { largeFileBytes, rounds } = bench.settings;
  const entry = await createLineup(bench, { fileBytes: largeFileBytes });
  const entries = [
    entry('Longhaul, part layer'),
    entry('curl'),
    entry('openai SDK, streaming'),
    entry('Longhaul, end to end'),
    entry('Longhaul, end to end, no MD5'),
    entry('openai-python', { concurrency: 1 }),
  ];
  const results = await runRounds(bench, await bench.sink(), entries, Math.min(rounds, 3));
  await bench.removeFiles();
  const about = `${describeSizes(bench, largeFileBytes)} The Blob of the SDK is missing, because \`fs.openAsBlob\` of Node.js 20 uses sizes modulo 4 GiB.`;
  return toSection(about, results, {
    charts: [throughputChart('large-file', 'A file of the largest size, loopback', results)],
  });
}
