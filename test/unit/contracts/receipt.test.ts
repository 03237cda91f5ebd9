import { describe, expect, it } from 'vitest';
import { checkRequest } from '../../../src/contracts/requests/problems.ts';
import { receiptSchema } from '../../../src/contracts/requests/receipt.ts';

const part = (number: number, offsetBytes: number, sizeBytes: number) => ({ number, id: 'p', offsetBytes, sizeBytes });
const piece = (offsetBytes: number, bytes: number) => ({
  workflowId: 'w',
  destination: 'default',
  source: { type: 'file', path: '/a', range: { offsetBytes, sizeBytes: bytes } },
  fingerprint: 'f',
  bytes,
  md5: null,
  uploadId: 'u',
  sessions: 1,
  parts: [part(1, 0, 4), part(2, 4, bytes - 4)],
  file: { id: 'file-1', bytes, createdAt: 1, filename: 'a', purpose: 'batch' },
  startedAt: '2026-11-29T15:00:00Z',
  completedAt: '2026-11-29T15:00:01Z',
});
const head = { format: 'longhaul-receipt/1', versions: { longhaul: '0.1.0', node: '20.20.2' } };
const upload = { ...head, kind: 'upload', ...piece(0, 6) };
const split = { ...head, kind: 'split', workflowId: 'w', bytes: 15, pieces: [piece(7, 6), piece(13, 9)] };
const problems = (receipt: object) => checkRequest(receiptSchema, receipt).problems;

describe('the schema of a receipt', () => {
  it('accepts parts and pieces that have all bytes', () => {
    expect(problems(upload)).toEqual([]);
    expect(problems(split)).toEqual([]);
  });

  it.each([
    ['without a part', [part(1, 0, 4)]],
    ['with a gap between its parts', [part(1, 0, 4), part(2, 5, 2)]],
    ['with more bytes in its parts', [part(1, 0, 4), part(2, 4, 3)]],
    ['with no parts', []],
  ])('rejects a File %s', (_, parts) => {
    expect(problems({ ...upload, parts })).toEqual(['the parts of the File file-1 do not have its 6 bytes']);
  });

  it('rejects a split upload without one of its pieces', () => {
    const [first, last] = split.pieces;
    for (const pieces of [[first], [last], [last, first], [first, piece(14, 9)]]) {
      expect(problems({ ...split, pieces })).toEqual(['the pieces do not have the 15 bytes of the source']);
    }
  });
});
