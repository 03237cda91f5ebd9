/**
 * The MD5 and the check of lines in memory, in a separate process: as in the thread of a pass, the code is compiled for
 * one check only. Prints GiB per second of CPU time.
 *
 *   node content-pass.js '{"check":"batch","lineBytes":300,"isMixed":false}'
 */
import type { LineCheck } from '../../../src/contracts/content.ts';
import { JsonlCheck } from '../../../src/sources/digest/jsonl.ts';
import { Md5 } from '../../../src/sources/digest/md5.ts';
import { GiB, MiB } from '../measurement.ts';
import { requests, type RequestLines } from '../setup/request-lines.ts';

const CHUNK_BYTES = 512 * 1024;
const PASS_BYTES = 64 * MiB;
/** Of a File for a batch. */
const MAX_LINES = 50_000;
/** Passes that compile the code, and passes that are measured. */
const [FIRST_PASSES, PASSES] = [6, 4];

const settings = JSON.parse(process.argv[2] ?? '') as RequestLines;
const files = filesOf(settings);
for (let number = 0; number < FIRST_PASSES; number++) pass(settings.check);
const before = process.cpuUsage();
for (let number = 0; number < PASSES; number++) pass(settings.check);
const { user, system } = process.cpuUsage(before);
const bytes = PASSES * files.reduce((sum, { byteLength }) => sum + byteLength, 0);
console.log(String(bytes / GiB / ((user + system) / 1e6)));

/** Lines in files of the largest number of lines, without strings that the garbage collector would follow later. */
function filesOf(lines: RequestLines): readonly Buffer[] {
  const content = Buffer.alloc(PASS_BYTES + MiB);
  const found: Buffer[] = [];
  let [start, end, count] = [0, 0, 0];
  for (const line of requests(PASS_BYTES, lines)) {
    end += content.write(line, end, 'latin1');
    count += 1;
    if (count % MAX_LINES > 0) continue;
    found.push(content.subarray(start, end));
    // The buffers of a pass are aligned.
    end = Math.ceil(end / 8) * 8;
    start = end;
  }
  return [...found, content.subarray(start, end)];
}

function pass(check: LineCheck | undefined): void {
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
