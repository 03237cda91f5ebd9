import type { PlanSplitHeartbeat } from '../contracts/activities.ts';
import type { LineIndex } from '../core/split/plan.ts';
import { pass, type PassListener } from './digest/pass.ts';
import { LINE_FEED, lineFeeds, type SourceLines } from './source-lines.ts';
import type { SourceReader } from './source-reader.ts';
import { parseJson } from '../core/text/parse.ts';

const MiB = 1024 * 1024;
/** Their counts are the state of a checkpoint. */
const MAX_BLOCKS = 8192;
const CHUNK_BYTES = 512 * 1024;
const CHECKPOINT_EVERY_MS = 1000;

/** The lines of a source by block, so that the position of each line can be found by reading one block. */
export class LineCounter implements PassListener {
  readonly #sizeBytes: number;
  readonly #blockBytes: number;
  readonly #counts: number[] = [0];
  #offsetBytes = 0;
  #lineFeeds = 0;
  #endsInLine = false;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#blockBytes = Math.ceil(Math.max(sizeBytes / MAX_BLOCKS, 1) / MiB) * MiB;
  }

  /** Lines so far. The last one can be without a line feed. */
  get lines(): number {
    return this.#lineFeeds + (this.#endsInLine ? 1 : 0);
  }

  update(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let from = 0; from < bytes.byteLength;) {
      const at = this.#offsetBytes + from;
      const block = Math.floor(at / this.#blockBytes);
      const to = Math.min(bytes.byteLength, from + (block + 1) * this.#blockBytes - at);
      const count = lineFeeds(bytes.subarray(from, to));
      this.#counts[block] = (this.#counts[block] ?? 0) + count;
      this.#lineFeeds += count;
      from = to;
    }
    this.#offsetBytes += bytes.byteLength;
    if (bytes.byteLength > 0) this.#endsInLine = bytes.at(-1) !== LINE_FEED;
  }

  save(): string {
    return JSON.stringify([this.#endsInLine ? 1 : 0, ...this.#counts]);
  }

  load(state: string, offsetBytes: number): boolean {
    const saved = parsed(state);
    const blocks = Math.ceil(Math.max(offsetBytes, 1) / this.#blockBytes);
    if (saved?.length !== blocks + 1) return false;
    const [endsInLine, ...counts] = saved;
    this.#endsInLine = endsInLine === 1;
    this.#counts.splice(0, Infinity, ...counts);
    this.#lineFeeds = counts.reduce((sum, count) => sum + count, 0);
    this.#offsetBytes = offsetBytes;
    return true;
  }

  /** @param reader of the same source */
  index(reader: SourceLines): LineIndex {
    const sums = [0];
    for (const count of this.#counts) sums.push((sums.at(-1) as number) + count);
    return {
      total: this.lines,
      before: async (offsetBytes) => {
        const block = Math.floor(offsetBytes / this.#blockBytes);
        const from = block * this.#blockBytes;
        return (sums[block] ?? this.#lineFeeds) + (await reader.count(from, offsetBytes));
      },
      endOf: async (line) => {
        const block = sums.findIndex((sum) => sum >= line) - 1;
        const from = block * this.#blockBytes;
        const to = Math.min(from + this.#blockBytes, this.#sizeBytes);
        return reader.endOf(from, to, line - (sums[block] as number));
      },
    };
  }
}

function parsed(state: string): number[] | undefined {
  const saved = parseJson(state);
  return Array.isArray(saved) && saved.every(Number.isSafeInteger) ? saved : undefined;
}

type LineCheckpoint = PlanSplitHeartbeat['lines'];

interface CountOptions {
  readonly sizeBytes: number;
  readonly resumeFrom?: LineCheckpoint | undefined;
  readonly onCheckpoint?: (checkpoint: LineCheckpoint) => void;
  /** Queried after each chunk with the number of lines so far; true ends the pass. */
  readonly isStopping: (lines: number) => boolean;
}

/**
 * Counts the lines of a source in one pass.
 *
 * @returns the counter, also if the pass was ended early
 * @throws SourceChangedError if the source ends too early
 */
export async function countLines(
  reader: SourceReader,
  { sizeBytes, resumeFrom, onCheckpoint = () => {}, isStopping }: CountOptions,
): Promise<{ readonly counter: LineCounter; readonly isWhole: boolean }> {
  const { listeners, checkpoint } = await pass(reader, {
    sizeBytes,
    create: () => ({ lines: new LineCounter(sizeBytes) }),
    chunkBytes: Math.min(CHUNK_BYTES, sizeBytes),
    checkpointEveryMs: CHECKPOINT_EVERY_MS,
    resumeFrom: resumeFrom && { ...resumeFrom, states: { lines: resumeFrom.states[0] ?? '' } },
    onCheckpoint: ({ offsetBytes, states }) => onCheckpoint({ offsetBytes, states: Object.values(states) }),
    isStopping: ({ lines }) => isStopping(lines.lines),
  });
  return { counter: listeners.lines, isWhole: checkpoint === undefined };
}
