import { parseArgs } from 'node:util';
import { GiB, MiB } from './measurement.ts';

export interface Settings {
  /** Names of the scenarios to run; empty: all, or with `isQuick` those that a baseline is kept of. */
  readonly scenarios: readonly string[];
  readonly isQuick: boolean;
  readonly writesDocs: boolean;
  readonly writesBaseline: boolean;
  readonly help: boolean;
  readonly rounds: number;
  readonly fileBytes: number;
  readonly largeFileBytes: number;
  readonly partBytes: number;
  readonly concurrency: number;
  /** How long a link is filled by each contender. */
  readonly linkSeconds: number;
  readonly smallFiles: number;
  /** Of 10 KiB. */
  readonly tinyFiles: number;
  /** Most uploads at the same time. */
  readonly uploads: number;
  readonly uploadBytes: number;
}

const FULL = { gib: '2', 'large-gib': '8', rounds: '5', 'link-seconds': '5' };
const QUICK = { gib: '0.5', 'large-gib': '1', rounds: '3', 'link-seconds': '2' };

export const usage = `npm run bench -- [OPTIONS]

Longhaul side by side with curl and the official SDKs, from a file in the page cache to a sink on the same machine.
All scenarios take about an hour on two cores and 17 GiB in the directory for temporary files (TMPDIR), which must be on a
disk. Do not run other programs at the same time. Linux only.

  --scenario NAME      scenario to run (repeatable)
  --quick              a few minutes: fewer contenders and smaller files, compared with test/bench/baseline.json
  --write-docs         write the results into docs/performance.md and docs/charts
  --write-baseline     with --quick: write the results as the baseline
  --rounds N           (${FULL.rounds}; quick ${QUICK.rounds})
  --gib N              the file (${FULL.gib}; quick ${QUICK.gib})
  --large-gib N        the large file, and the end of the scaling by size (${FULL['large-gib']})
  --part-mib N         parts (64)
  --concurrency N      parts in flight (8)
  --link-seconds N     how long each contender fills a link (${FULL['link-seconds']})
  --files N            small files of 1 MiB (500)
  --tiny-files N       files of 10 KiB (10000)
  --uploads N          maximum uploads at the same time (200)
  --upload-mib N       size of each of them (64)
`;

/** @throws TypeError for an option that there isn't, RangeError for a value that makes no sense */
export function readSettings(args: readonly string[]): Settings {
  const number = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      'write-baseline': { type: 'boolean', default: false },
      rounds: number,
      gib: number,
      'large-gib': number,
      'part-mib': number,
      concurrency: number,
      'link-seconds': number,
      files: number,
      'tiny-files': number,
      uploads: number,
      'upload-mib': number,
    },
  });
  const preset = values.quick ? QUICK : FULL;
  return {
    scenarios: values.scenario,
    isQuick: values.quick,
    writesDocs: values['write-docs'],
    writesBaseline: values['write-baseline'],
    help: values.help,
    rounds: wholeNumber('rounds', values.rounds ?? preset.rounds),
    fileBytes: Math.round(positive('gib', values.gib ?? preset.gib) * GiB),
    largeFileBytes: Math.round(positive('large-gib', values['large-gib'] ?? preset['large-gib']) * GiB),
    partBytes: wholeNumber('part-mib', values['part-mib'] ?? '64') * MiB,
    concurrency: wholeNumber('concurrency', values.concurrency ?? '8'),
    linkSeconds: positive('link-seconds', values['link-seconds'] ?? preset['link-seconds']),
    smallFiles: wholeNumber('files', values.files ?? '500'),
    tinyFiles: wholeNumber('tiny-files', values['tiny-files'] ?? '10000'),
    uploads: wholeNumber('uploads', values.uploads ?? '200'),
    uploadBytes: wholeNumber('upload-mib', values['upload-mib'] ?? '64') * MiB,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`--${name} must be a number above 0, not "${text}"`);
}

function wholeNumber(name: string, text: string): number {
  const value = positive(name, text);
  if (Number.isInteger(value)) return value;
  throw new RangeError(`--${name} must be a whole number, not "${text}"`);
}
