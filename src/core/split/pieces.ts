import type { ByteRange } from '../../contracts/sources.ts';

/**
 * The name of one piece of a split file, its extension kept: `train.jsonl` → `train-00001-of-00003.jsonl`. A file that
 * is one piece keeps its name.
 *
 * @param number counted from 1
 */
export function pieceName(filename: string, number: number, count: number): string {
  if (count === 1) return filename;
  const dot = filename.lastIndexOf('.');
  // A dot in front makes a hidden file, no extension.
  const [stem, extension] = dot > 0 ? [filename.slice(0, dot), filename.slice(dot)] : [filename, ''];
  return `${stem}-${pieceLabel(number, count)}${extension}`;
}

/** `00001-of-00003` */
export function pieceLabel(number: number, count: number): string {
  return `${padded(number)}-of-${padded(count)}`;
}

function padded(number: number): string {
  return String(number).padStart(5, '0');
}

/** Of the upload of a piece. @param number counted from 1 */
export function pieceWorkflowId(workflowId: string, number: number, count: number): string {
  return `${workflowId}-${pieceLabel(number, count)}`;
}

/** What all pieces of a split upload have in common. */
export interface Whole {
  readonly purpose: string;
  readonly destination: string;
  /** Of the request, as its client has stored it; null if it did not. */
  readonly identity: string | null;
  readonly fingerprint: string;
}

/** What makes two pieces the same, so that the File of other bytes under the same workflow ID is never taken for it. */
export function pieceIdentity(
  { purpose, destination, identity, fingerprint }: Whole,
  { filename, range }: { readonly filename: string; readonly range: ByteRange },
): string {
  return JSON.stringify([identity, fingerprint, filename, purpose, destination, range.offsetBytes, range.sizeBytes]);
}
