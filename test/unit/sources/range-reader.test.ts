import { expect, it } from 'vitest';
import { RangeReader } from '../../../src/sources/range-reader.ts';
import { memoryReader } from '../../support/memory-reader.ts';

const whole = memoryReader(Buffer.from('0123456789'));

async function textAt(reader: RangeReader, offsetBytes: number, bufferBytes = 16): Promise<string> {
  const buffer = Buffer.alloc(bufferBytes);
  return buffer.toString('latin1', 0, await reader.read(buffer, offsetBytes));
}

it('a range is a source of its own: its size, its offsets, its end; the fingerprint is that of the whole', async () => {
  const reader = new RangeReader(whole, { offsetBytes: 3, sizeBytes: 4 });
  expect(await reader.stat()).toEqual({ sizeBytes: 4, fingerprint: 'memory' });
  expect(await textAt(reader, 0)).toBe('3456');
  expect(await textAt(reader, 1, 2)).toBe('45');
  expect(await textAt(reader, 3)).toBe('6');
  expect(await textAt(reader, 4)).toBe('');
  expect(await textAt(reader, 9)).toBe('');
});

it('a range that the source is too short for is no source', async () => {
  const reader = new RangeReader(whole, { offsetBytes: 3, sizeBytes: 8 });
  await expect(reader.stat()).rejects.toMatchObject({ code: 'SOURCE_UNUSABLE' });
});
