import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { ContentCheck } from '../../../src/contracts/content.ts';
import type { Bench } from '../bench.ts';
import { MiB } from '../measurement.ts';
import { figureOf, formatFigure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { childScript } from '../setup/compile-children.ts';
import { memoryOf } from '../setup/process-figures.ts';
import { requests, type RequestLines } from '../setup/request-lines.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import type { Scenario } from './scenario.ts';
import { uploadRequest } from '../setup/upload-request.ts';

/** Effect of the check of the content on the rate and the memory of an upload, and the rate of the pass alone. */
export const contentCheck: Scenario = { name: 'content-check', isQuick: false, run };

const BYTES = 512 * MiB;
/** 1 Gbit/s. */
const LINK_BYTES_PER_SECOND = 125_000_000;
const MOST_ROUNDS = 3;
/** Without a check: the MD5 alone. */
const PASSES = [
  { check: undefined, isMixed: false },
  { check: 'jsonl', isMixed: false },
  { check: 'batch', isMixed: false },
  { check: 'batch', isMixed: true },
  { check: 'chat', isMixed: false },
  { check: 'chat', isMixed: true },
] as const;
const LINE_BYTES = [150, 300, 1000, 4096];

async function run(bench: Bench): Promise<Section> {
  const rounds = Math.min(bench.settings.rounds, MOST_ROUNDS);
  const file = join(dirname(await bench.fileOfSize(MiB)), 'requests.jsonl');
  await pipeline(Readable.from(requests(BYTES)), createWriteStream(file));
  const ways = (['off', 'batch'] as const).map((check) => ({ check, rates: [] as number[], peaks: [] as number[] }));
  const passes = PASSES.map((way) => ({ ...way, rates: LINE_BYTES.map(() => [] as number[]) }));
  for (let round = 1; round <= rounds; round++) {
    for (const way of ways) {
      const { rate, peakMib } = await upload(bench, file, way.check);
      way.rates.push(rate);
      way.peaks.push(peakMib);
      bench.log(`round ${round}: check ${way.check}: ${rate.toFixed(1)} MiB/s, ${peakMib.toFixed(0)} MiB`);
    }
    for (const { rates, ...lines } of passes) {
      for (const [index, lineBytes] of LINE_BYTES.entries()) {
        rates[index]?.push(await passRate({ ...lines, lineBytes }));
      }
    }
  }
  const pairs = ways[1]!.rates.map((rate, index) => rate / (ways[0]!.rates[index] ?? rate));
  const ratio = figureOf(pairs);
  return {
    about: `${BYTES / MiB} MiB of requests of 4 KiB through Temporal, limited to 1 Gbit/s. Medians of ${rounds} rounds (minimum–maximum).`,
    tables: [
      {
        columns: ['upload', 'MiB/s', 'peak memory of the worker, MiB'],
        rows: ways.map(({ check, rates, peaks }) => [
          `\`--check ${check}\``,
          formatFigure(figureOf(rates)),
          formatFigure(figureOf(peaks)),
        ]),
      },
      {
        columns: [
          'MD5 and check alone, GiB per second of CPU time',
          ...LINE_BYTES.map((bytes) => `lines of ${bytes.toLocaleString('en')} bytes`),
        ],
        rows: passes.map(({ check, isMixed, rates }) => [
          check ? `\`${check}\`${isMixed ? ', three layouts' : ''}` : 'MD5 without a check',
          ...rates.map((ofBytes) => formatFigure(figureOf(ofBytes))),
        ]),
      },
    ],
    charts: [],
    notes: [],
    ratios: ratio ? { 'content-check: rate with the check / without': ratio } : {},
    figures: {},
  };
}

/** @returns GiB per second of CPU time */
async function passRate(lines: RequestLines): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    childScript('content-pass.js'),
    JSON.stringify(lines),
  ]);
  return Number(stdout);
}

async function upload({ sink, temporal, settings }: Bench, file: string, check: ContentCheck) {
  const { client, environment } = await temporal();
  const { baseUrl } = await sink();
  return withWorkerProcess({ slots: settings.concurrency + 1, baseUrl, environment }, async ({ pid }) => {
    const startedAtMs = performance.now();
    const handle = await client.upload(uploadRequest({ file, check, limitBytesPerSecond: LINK_BYTES_PER_SECOND }));
    const { bytes } = await handle.result();
    const rate = bytes / MiB / ((performance.now() - startedAtMs) / 1000);
    return { rate, peakMib: (await memoryOf(pid)).peakRssMib };
  });
}
