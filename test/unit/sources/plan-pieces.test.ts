import { describe, expect, it } from 'vitest';
import { LineCounter } from '../../../src/sources/line-counter.ts';
import { planPieces, SourceLines } from '../../../src/sources/source-lines.ts';
import { memoryReader } from '../../support/memory-reader.ts';

const never = new AbortController().signal;

async function piecesOf(text: string, limitBytes: number, maxLines?: number): Promise<string[]> {
  const content = Buffer.from(text);
  const lines = new SourceLines(memoryReader(content), never);
  const counter = new LineCounter(content.byteLength);
  counter.update(content);
  const limit = maxLines === undefined ? undefined : { maxLines, index: counter.index(lines) };
  const plan = await planPieces(content.byteLength, limitBytes, lines, limit);
  if (!('pieces' in plan)) throw new Error(`long line at ${plan.longLineAtBytes}`);
  return plan.pieces.map(({ offsetBytes, sizeBytes }) => text.slice(offsetBytes, offsetBytes + sizeBytes));
}

describe('the pieces of a source', () => {
  it.each(['\n', '\r\n', '\r'])('never consist of an empty last line (%j)', async (empty) => {
    expect(await piecesOf(`{}\n{}\n${empty}`, 100, 1)).toEqual(['{}\n', `{}\n${empty}`]);
    expect(await piecesOf(`{}\n{}\n${empty}`, 100, 2)).toEqual([`{}\n{}\n${empty}`]);
    expect(await piecesOf(`{}\n{}\n${empty}`, 5)).toEqual(['{}\n', `{}\n${empty}`]);
  });

  it('are the same as those of planSplit if the last line is not empty', async () => {
    expect(await piecesOf('{}\n{}\n', 3)).toEqual(['{}\n', '{}\n']);
    expect(await piecesOf('{}\n\n{}', 100, 1)).toEqual(['{}\n', '\n', '{}']);
  });
});
