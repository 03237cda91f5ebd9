import type { Bench } from '../bench.ts';
import { figureOf, formatFigure, type Figure } from '../report/figure.ts';
import { GiB } from '../measurement.ts';
import type { Section } from '../report/section.ts';
import { dropFromCache } from '../setup/bench-file.ts';
import { diskBytesReadBy } from '../setup/process-figures.ts';
import { withWorkerProcess } from '../setup/worker-process.ts';
import { formatGib } from './comparison.ts';
import type { Scenario } from './scenario.ts';
import { uploadRequest } from '../setup/upload-request.ts';

/** A file that is not in the page cache: is it read from the disk once or twice? */
export const coldSource: Scenario = { name: 'cold-source', isQuick: false, run };

interface ColdUpload {
  readonly gibPerSecond: number;
  readonly readsPerByte: number;
}

const MOST_ROUNDS = 3;

async function run(bench: Bench): Promise<Section> {
  const { fileBytes } = bench.settings;
  const rounds = Math.min(bench.settings.rounds, MOST_ROUNDS);
  const path = await bench.fileOfSize(fileBytes);
  const ways = [true, false].map((md5) => ({ md5, uploads: [] as ColdUpload[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { md5, uploads } of ways) {
      const upload = await uploadCold(bench, path, md5);
      uploads.push(upload);
      bench.log(`round ${round}: ${md5 ? 'with' : 'no'} md5: ${upload.readsPerByte.toFixed(2)} bytes read for each`);
    }
  }
  const reads = (uploads: readonly ColdUpload[]) => figureOf(uploads.map(({ readsPerByte }) => readsPerByte));
  const figure: Figure | undefined = reads(ways[0]?.uploads ?? []);
  return {
    about: `${formatGib(fileBytes)} that were removed from the page cache, through Temporal over loopback. Medians of ${rounds} rounds (minimum–maximum). The kernel counts the bytes that the worker reads from the disk (\`read_bytes\`).`,
    tables: [
      {
        columns: ['', 'GiB/s', 'bytes read from the disk per byte of the file'],
        rows: ways.map(({ md5, uploads }) => [
          `Longhaul, end to end${md5 ? '' : ', no MD5'}`,
          formatFigure(figureOf(uploads.map(({ gibPerSecond }) => gibPerSecond))),
          formatFigure(reads(uploads)),
        ]),
      },
    ],
    charts: [],
    notes: [],
    ratios: {},
    figures: figure ? { 'cold-source: bytes read for each byte': figure } : {},
  };
}

async function uploadCold({ sink, temporal, settings }: Bench, path: string, md5: boolean): Promise<ColdUpload> {
  const { client, environment } = await temporal();
  const { baseUrl } = await sink();
  const slots = settings.concurrency + (md5 ? 1 : 0);
  return withWorkerProcess({ slots, baseUrl, environment }, async ({ pid }) => {
    await dropFromCache(path);
    const readBefore = await diskBytesReadBy(pid);
    const startedAtMs = performance.now();
    const handle = await client.upload(uploadRequest({ file: path, md5 }));
    await handle.result();
    const seconds = (performance.now() - startedAtMs) / 1000;
    return {
      gibPerSecond: settings.fileBytes / GiB / seconds,
      readsPerByte: ((await diskBytesReadBy(pid)) - readBefore) / settings.fileBytes,
    };
  });
}
