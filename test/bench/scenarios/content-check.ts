import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ContentCheck, LineCheck } from '../../../src/contracts/content.ts';
import { JsonlCheck } from '../../../src/sources/digest/jsonl.ts';
import { Md5 } from '../../../src/sources/digest/md5.ts';
import type { Bench } from '../bench.ts';
import { GiB, MiB } from '../measurement.ts';
import { figureOf, formatFigure } from '../report/figure.ts';
import type { Section } from '../report/section.ts';
import { memoryOf } from '../setup/process-figures.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import type { Scenario } from './scenario.ts';
import { uploadRequest } from '../setup/upload-request.ts';

/** Effect of the check of the content on the rate and the memory of an upload, and the rate of the pass alone. */
export const contentCheck: Scenario = { name: 'content-check', isQuick: false, run };

const BYTES = 512 * MiB;
/** 1 Gbit/s. */
const LINK_BYTES_PER_SECOND = 125_000_000;
const MOST_ROUNDS = 3;
const CHUNK_BYTES = 512 * 1024;
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
const PASS_BYTES = 64 * MiB;
/** Of a File for a batch. */
const MAX_LINES = 50_000;

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
      LINE_BYTES.forEach((lineBytes, index) => rates[index]?.push(passGibPerSecond({ ...lines, lineBytes })));
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

interface Lines {
  readonly check: LineCheck | undefined;
  /** Approximate length. */
  readonly lineBytes: number;
  /** Whether each line has another layout than the line before. */
  readonly isMixed: boolean;
}

function* requests(
  bytes: number,
  { check, lineBytes, isMixed }: Lines = { check: 'batch', lineBytes: 4096, isMixed: false },
): Generator<string> {
  const text = 'A sentence with "quotes", and a second line.\n'.repeat(Math.ceil(lineBytes / 45));
  const lineOf = (id: number, content: string) => {
    const layout = isMixed ? id % 3 : 0;
    const user = { role: 'user', content };
    if (check === 'chat') {
      const reply = { role: 'assistant', content: 'Yes.' };
      const messages = [[user], [user, reply], [{ role: 'system', content: 'Be short.' }, user, reply]][layout];
      return `${JSON.stringify({ messages })}\n`;
    }
    const body = { model: 'm', messages: [user], ...[{}, { temperature: 0.5 }, { max_tokens: 100 }][layout] };
    return `${JSON.stringify({ custom_id: `request-${id}`, method: 'POST', url: '/v1/responses', body })}\n`;
  };
  let length = text.length;
  while (length > 0 && lineOf(0, text.slice(0, length)).length > lineBytes) length--;
  for (let [id, written] = [0, 0]; written < bytes; id++) {
    const line = lineOf(id, text.slice(0, length));
    written += line.length;
    yield line;
  }
}

function passGibPerSecond(settings: Lines): number {
  const { check } = settings;
  const files = filesOf(settings);
  // The first pass compiles the code.
  pass(files, check);
  const before = process.cpuUsage();
  pass(files, check);
  const { user, system } = process.cpuUsage(before);
  const bytes = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return bytes / GiB / ((user + system) / 1e6);
}

/** Lines in files of the largest number of lines, without strings that the garbage collector would follow later. */
function filesOf(settings: Lines): readonly Buffer[] {
  const content = Buffer.alloc(PASS_BYTES + MiB);
  const files: Buffer[] = [];
  let [start, end, lines] = [0, 0, 0];
  for (const line of requests(PASS_BYTES, settings)) {
    end += content.write(line, end, 'latin1');
    lines += 1;
    if (lines % MAX_LINES > 0) continue;
    files.push(content.subarray(start, end));
    // The buffers of a pass are aligned.
    end = Math.ceil(end / 8) * 8;
    start = end;
  }
  return [...files, content.subarray(start, end)];
}

function pass(files: readonly Buffer[], check: LineCheck | undefined): void {
  for (const content of files) {
    const md5 = new Md5();
    const checked = check && new JsonlCheck({ check, maxLines: MAX_LINES });
    for (let at = 0; at < content.byteLength; at += CHUNK_BYTES) {
      const chunk = content.subarray(at, at + CHUNK_BYTES);
      md5.update(chunk);
      checked?.update(chunk);
    }
    if (checked && checked.end().invalid > 0) throw new Error('the requests are invalid');
  }
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
