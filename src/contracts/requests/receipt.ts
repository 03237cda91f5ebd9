import * as z from 'zod';
import { RECEIPT_FORMAT } from '../names.ts';
import type { ByteRange } from '../sources.ts';
import { by } from './fields.ts';
import { source } from './sources.ts';

const bytes = z.int().min(0);
const text = z.string().min(1);
const md5 = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const unixSeconds = z.number().min(0);

const part = z.object({
  /** Counted from 1. */
  number: z.int().min(1),
  id: text,
  /** Of the source, or of its range. */
  offsetBytes: bytes,
  sizeBytes: bytes,
});

/** Times of the service are Unix seconds. */
const file = z.object({
  // It becomes a segment of a URL.
  id: z.string().regex(/^[\x21-\x7e]+$/, 'must be an ID of a File'),
  bytes,
  createdAt: unixSeconds,
  expiresAt: unixSeconds.optional(),
  filename: z.string(),
  purpose: z.string(),
  status: z.string().optional(),
});

const uploadReceipt = z.object({
  workflowId: text,
  destination: text,
  /** Without the query of a URL. */
  source,
  fingerprint: text,
  bytes,
  /** Null if the upload disabled it. */
  md5: md5.nullable(),
  /** If it was requested. */
  sha256: sha256.optional(),
  uploadId: text,
  sessions: bytes,
  parts: z.array(part),
  file,
  /** ISO 8601. */
  startedAt: text,
  completedAt: text,
});

const versions = z.object({ longhaul: text, node: text });

const kinds = z.discriminatedUnion(
  'kind',
  [
    uploadReceipt.extend({
      format: z.literal(RECEIPT_FORMAT),
      kind: z.literal('upload'),
      /** Of the program that wrote the receipt. */
      versions,
    }),
    z.object({
      format: z.literal(RECEIPT_FORMAT),
      kind: z.literal('split'),
      versions,
      workflowId: text,
      bytes,
      pieces: z.array(uploadReceipt).min(1),
    }),
  ],
  'must be upload or split',
);

/** The record of a completed upload, or of a split upload with its pieces in the order of the source. */
export const receiptSchema = kinds.superRefine(by(gapProblem));

/** A receipt that was cut or edited would otherwise verify only a part of the source. */
function gapProblem(receipt: z.infer<typeof kinds>): string | undefined {
  const uploads = receipt.kind === 'split' ? receipt.pieces : [receipt];
  const incomplete = uploads.find(({ parts, bytes: whole }) => !isWhole(parts, 0, whole));
  if (incomplete) return `the parts of the File ${incomplete.file.id} do not have its ${incomplete.bytes} bytes`;
  if (receipt.kind === 'upload') return undefined;
  const ranges = uploads.map(({ source: { range }, bytes: whole }) => ({
    offsetBytes: range?.offsetBytes ?? 0,
    sizeBytes: whole,
  }));
  if (isWhole(ranges, ranges[0]?.offsetBytes ?? 0, receipt.bytes)) return undefined;
  return `the pieces do not have the ${receipt.bytes} bytes of the source`;
}

function isWhole(ranges: readonly ByteRange[], startBytes: number, sizeBytes: number): boolean {
  let endBytes = startBytes;
  const isGapless = ranges.every((range) => {
    const isNext = range.offsetBytes === endBytes;
    endBytes += range.sizeBytes;
    return isNext;
  });
  return isGapless && endBytes === startBytes + sizeBytes;
}

export type UploadReceipt = z.infer<typeof uploadReceipt>;
export type Receipt = z.infer<typeof receiptSchema>;
