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
