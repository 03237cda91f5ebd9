import type { Bench } from '../bench.ts';
import { MiB } from '../measurement.ts';
import { ratioOf, toComparisonTable } from '../report/comparison-table.ts';
import { figureOf, type Figure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { runRounds, type EntryResult, type Results } from '../rounds.ts';
import { withLink, type Link } from '../setup/link.ts';
import { links } from './adaptive-links.ts';
import { createLineup } from './comparison.ts';
import type { Scenario } from './scenario.ts';

/** A worker with an automatic number of parts in flight, compared with 1, 4 and 16. */
export const adaptive: Scenario = { name: 'adaptive', isQuick: false, run };

const MOST_ROUNDS = 3;
const FIXED = [1, 4, 16];

async function run(bench: Bench): Promise<Section> {
  const results: Results[] = [];
  for (const link of links) results.push(await measureLink(bench, link));
  return {
    about:
      'A worker that determines the number of parts in flight, compared with workers with a fixed number, over links with different delays (see "Links with delay"). ' +
      `The measured time includes the search. Medians of ${Math.min(bench.settings.rounds, MOST_ROUNDS)} rounds (minimum–maximum), without MD5.`,
    tables: results.map((each) => toComparisonTable(each)),
    charts: [],
    notes: [...new Set(results.flatMap(({ notes }) => notes))],
    ratios: {},
    figures: Object.fromEntries(
      results.flatMap((each, index) => {
        const figure = againstBest(each);
        return figure ? [[`adaptive: speed of adaptive / best fixed, ${links[index]?.name ?? ''}`, figure]] : [];
      }),
    ),
  };
}

async function measureLink(bench: Bench, link: Link): Promise<Results> {
  const { linkSeconds, rounds, largeFileBytes } = bench.settings;
  // Long enough that the search is not all of it, as with real files.
  const wantedBytes = Math.min(link.bytesPerSecond * linkSeconds * 3, largeFileBytes);
  const partMib = Math.min(Math.max(2 ** Math.floor(Math.log2(wantedBytes / 64 / MiB)), 1), 64);
  const fileBytes = Math.ceil(wantedBytes / MiB / partMib) * partMib * MiB;
  const sink = await bench.sink();
  return withLink(link, sink, async (baseUrl) => {
    const create = await createLineup(bench, { fileBytes });
    const change = { baseUrl, partBytes: partMib * MiB, warmUpPartBytes: MiB };
    const entries = [
      create('Longhaul, adaptive', change, link.name),
      ...FIXED.map((concurrency) => create('Longhaul, end to end, no MD5', { ...change, concurrency }, link.name)),
    ];
    return runRounds(bench, sink, entries, Math.min(rounds, MOST_ROUNDS));
  });
}

/** The best by its median. Ratios are computed within each round. */
function againstBest({ entries: [own, ...fixed] }: Results): Figure | undefined {
  const speedOf = ({ rounds }: EntryResult) => figureOf(rounds.map(({ gibPerSecond }) => gibPerSecond))?.median ?? 0;
  const best = fixed.toSorted((a, b) => speedOf(b) - speedOf(a))[0];
  return own && best && ratioOf(own, best, ({ gibPerSecond }) => gibPerSecond);
}
