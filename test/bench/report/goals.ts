import { ADAPTIVE_LINKS } from '../scenarios/adaptive-links.ts';
import { formatFigure, type Figure } from './figure.ts';
import { toMarkdownTable } from './markdown.ts';

interface Goal {
  readonly text: string;
  /** Name of a ratio or figure of a scenario. */
  readonly figure: string;
  readonly least?: number;
  readonly most?: number;
  readonly digits?: number;
  readonly unit?: string;
}

const LAYER = 'Longhaul, part layer';
const WHOLE = 'Longhaul, end to end';
const STREAM = 'openai SDK, streaming';

/** One line for each; its text finds the row of an older page. */
export const goals: readonly Goal[] = [
  {
    text: 'Part layer at least as fast as curl, plain',
    figure: `loopback: speed of ${LAYER} × 8 / curl × 8`,
    least: 1,
  },
  { text: '… with at most 1.25 times its CPU time', figure: `loopback: CPU of ${LAYER} × 8 / curl × 8`, most: 1.25 },
  { text: 'Part layer ≥ 1.1 of curl, TLS', figure: `tls: speed of ${LAYER} × 8 / curl × 8`, least: 1.1 },
  { text: '… with at most the same CPU time', figure: `tls: CPU of ${LAYER} × 8 / curl × 8`, most: 1 },
  {
    text: 'Part layer ≥ 4 × the official SDK, streaming, 8 at the same time',
    figure: `loopback: speed of ${LAYER} × 8 / ${STREAM} × 8`,
    least: 4,
  },
  { text: '… one part at a time', figure: `loopback: speed of ${LAYER} × 1 / ${STREAM} × 1`, least: 4 },
  { text: '… ≥ 2.7 × with TLS, 8 at the same time', figure: `tls: speed of ${LAYER} × 8 / ${STREAM} × 8`, least: 2.7 },
  {
    text: 'Part layer ≥ 6 × the official SDK, Blob, 8 at the same time',
    figure: `loopback: speed of ${LAYER} × 8 / openai SDK, Blob × 8`,
    least: 6,
  },
  {
    text: '4 connections ≥ 5 × the official SDK in sequence',
    figure: `loopback: speed of ${LAYER} × 4 / ${STREAM} × 1`,
    least: 5,
  },
  {
    text: '4 connections ≥ 2.5 × openai-python',
    figure: `loopback: speed of ${LAYER} × 4 / openai-python × 1`,
    least: 2.5,
  },
  {
    text: '… with its fastest parts, 8 MiB',
    figure: `loopback: speed of ${LAYER} × 4 / openai-python × 1, 8 MiB parts`,
    least: 2.5,
  },
  {
    text: 'Peak memory of the part layer ≤ 125 MiB at 8 × 64 MiB',
    figure: 'part-size: peak MiB at 64 MiB',
    most: 125,
    digits: 0,
    unit: ' MiB',
  },
  {
    text: '… and ≤ 5 MiB apart between 8 and 64 MiB parts',
    figure: 'part-size: peak MiB apart',
    most: 5,
    digits: 1,
    unit: ' MiB',
  },
  {
    text: 'Through Temporal ≥ 0.75 of the part layer, loopback, 64 MiB parts, without MD5',
    figure: `loopback: speed of ${WHOLE}, no MD5 × 8 / ${LAYER} × 8`,
    least: 0.75,
  },
  { text: '… with MD5', figure: `loopback: speed of ${WHOLE} × 8 / ${LAYER} × 8`, least: 0.75 },
  {
    text: 'Through Temporal ≥ 0.98 of the part layer at 1 Gbit/s, with MD5',
    figure: `links: speed of ${WHOLE} × 8, 1 Gbit/s, 20 ms / ${LAYER} × 8, 1 Gbit/s, 20 ms`,
    least: 0.98,
  },
  ...ADAPTIVE_LINKS.map((link) => ({
    text: `Finds its concurrency: ≥ 0.9 of the best of 1, 4 and 16, ${link}`,
    figure: `adaptive: speed of adaptive / best fixed, ${link}`,
    least: 0.9,
  })),
  {
    text: 'A limit is accurate to 5%, largest deviation',
    figure: 'limits: largest deviation, %',
    most: 5,
    digits: 1,
    unit: '%',
  },
  { text: '≤ 4 history events per part', figure: 'file-size: events per part', most: 4 },
  { text: '≤ 2.2 billable actions per part', figure: 'file-size: billable actions per part', most: 2.2 },
  {
    text: 'From the command to the first byte',
    figure: 'first-and-last-byte: command to first byte, ms',
    digits: 0,
    unit: ' ms',
  },
  {
    text: 'From the last byte to the File',
    figure: 'first-and-last-byte: last byte to File, ms',
    digits: 0,
    unit: ' ms',
  },
  {
    text: '500 small files: time against the official SDK, 8 in parallel',
    figure: 'small-files: time of Longhaul / openai SDK',
  },
  { text: '… cost of the orchestration per file', figure: 'small-files: cost of a file, ms', digits: 1, unit: ' ms' },
  {
    text: 'Sync of 500 files of 1 MiB ≤ 1.3 × the official SDK, 8 in parallel, local API',
    figure: 'syncs: 500 files of 1 MiB: time of a sync / openai SDK',
    most: 1.3,
  },
  {
    text: '… billable actions per file ≤ 0.3',
    figure: 'syncs: 500 files of 1 MiB: billable actions per file',
    most: 0.3,
  },
  {
    text: 'Sync of 10,000 files of 10 KiB ≤ 1.5 × the official SDK, 8 in parallel, local API',
    figure: 'syncs: 10000 files of 10 KiB: time of a sync / openai SDK',
    most: 1.5,
  },
  {
    text: '… billable actions of a tiny file ≤ 0.3',
    figure: 'syncs: 10000 files of 10 KiB: billable actions per file',
    most: 0.3,
  },
  {
    text: '64 MiB to 8 GiB: time is linear (largest time per GiB, relative to that of 1 GiB)',
    figure: 'file-size: time per GiB, largest / 1 GiB',
    most: 1.1,
  },
  {
    text: '… memory is constant (difference of largest and smallest peak)',
    figure: 'file-size: peak MiB apart',
    digits: 0,
    unit: ' MiB',
  },
  {
    text: '1 to 200 uploads at the same time: throughput of the largest number, relative to one',
    figure: 'many-uploads: speed of most / one',
    least: 0.9,
  },
  {
    text: '… memory in addition to that of one upload',
    figure: 'many-uploads: peak MiB over one',
    digits: 0,
    unit: ' MiB',
  },
  {
    text: '… no upload starves: time of the last ≤ 1.5 × the median',
    figure: 'many-uploads: last / middle',
    most: 1.5,
  },
  {
    text: 'The MD5 causes no delay below 5 Gbit/s (rate with / without at 5 Gbit/s)',
    figure: `links: speed of ${WHOLE} × 8, 5 Gbit/s, 20 ms / ${WHOLE}, no MD5 × 8, 5 Gbit/s, 20 ms`,
    least: 0.98,
  },
  {
    text: 'Cold disk: bytes read per byte of the file',
    figure: 'cold-source: bytes read for each byte',
    most: 1.1,
  },
  {
    text: 'Metrics cost less than 2% of a worker’s throughput (with / without)',
    figure: `metrics: speed of ${WHOLE}, no MD5, metrics × 8 / ${WHOLE}, no MD5 × 8`,
    least: 0.98,
  },
];

const COLUMNS = ['goal', 'measured', 'result, or the limit'] as const;
const OPEN = 'to be measured';

/**
 * The table with what is measured now. Rows that are not measured stay; what a person wrote into the last column stays
 * too.
 */
export function fillGoalsTable(old: string, measured: Readonly<Record<string, Figure>>): string {
  const rowsBefore = new Map(
    old
      .split('\n')
      .map((row) => row.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '')))
      .map((cells) => [cells[0], cells] as const),
  );
  return toMarkdownTable({
    columns: COLUMNS,
    rows: goals.map((goal) => {
      const [, before = OPEN, remark = OPEN] = rowsBefore.get(goal.text) ?? [];
      const figure = measured[goal.figure];
      if (!figure) return [goal.text, before, remark];
      const isByHand = ![OPEN, ...Object.values(verdicts)].includes(remark);
      return [
        goal.text,
        `${formatFigure(figure, goal.digits)}${goal.unit ?? ''}`,
        isByHand ? remark : verdictOn(goal, figure),
      ];
    }),
  });
}

const verdicts = { reached: 'reached', missed: '**not reached, to be explained**', measured: 'measured' } as const;

function verdictOn({ least, most }: Goal, { median }: Figure): string {
  if (least === undefined && most === undefined) return verdicts.measured;
  return median >= (least ?? -Infinity) && median <= (most ?? Infinity) ? verdicts.reached : verdicts.missed;
}
