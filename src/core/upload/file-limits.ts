import type { DestinationLimits } from '../../contracts/limits.ts';
import { formatBytes } from '../text/format.ts';

/** A file that is to become a File of a purpose. */
export interface LimitedFile {
  readonly filename: string;
  readonly purpose: string;
  readonly sizeBytes: number;
}

/** Fixes of a violation, as sentences. */
interface Fixes {
  readonly name: (example: string) => string;
  readonly size: string;
  readonly lines: string;
}

/** For one upload. */
const ofUpload: Fixes = {
  name: (example) => `Set such a name with --filename ${example}, or use another --purpose.`,
  size: 'If it is JSONL, use --split to create several Files. Otherwise reduce its size.',
  lines: 'To create several Files, use "longhaul upload --split".',
};

/** For a file that a folder, a glob or a bucket selects. */
export const ofSelectedFile: Fixes = {
  ...ofUpload,
  name: (example) => `Upload it separately with --filename ${example}, or use another --purpose.`,
};

/** For a file of a sync. */
export const ofSyncedFile: Fixes = {
  name: (example) => `Rename it, or select other files, for example with --include '*.${example.split('.').at(-1)}'.`,
  size: 'Split the file.',
  lines: 'Split the file.',
};

/** The violation of a limit that the name or the size shows, as the rest of a sentence about the file; undefined if none. */
export function fileProblem(limits: DestinationLimits, file: LimitedFile, fixes = ofUpload): string | undefined {
  return nameProblem(limits, file, fixes) ?? sizeProblem(limits, file, fixes);
}

/** The same of the name only, as for a split upload. */
export function nameProblem(
  { extensions }: DestinationLimits,
  { filename, purpose }: Pick<LimitedFile, 'filename' | 'purpose'>,
  fixes = ofUpload,
): string | undefined {
  if (!extensions || extensions.some((one) => filename.endsWith(one) && filename !== one)) return undefined;
  const example = `${filename.replace(/\.[^.]*$/, '') || 'file'}${extensions[0]}`;
  const accepted = extensions.join(' or ');
  return `is not accepted: the name of a File for the purpose ${purpose} must end in ${accepted}. ${fixes.name(example)}`;
}

function sizeProblem(
  { maxFileBytes }: DestinationLimits,
  { sizeBytes, purpose }: LimitedFile,
  fixes: Fixes,
): string | undefined {
  if (sizeBytes <= maxFileBytes) return undefined;
  const size = `${formatBytes(sizeBytes)} (${sizeBytes} bytes)`;
  return `has ${size}, and the maximum of an Upload is ${limitText(maxFileBytes)} for the purpose ${purpose}. ${fixes.size}`;
}

/** The violation of the limit of lines, as the rest of a sentence about the file. */
export function linesProblem({ maxLines = 0 }: DestinationLimits, { purpose }: Pick<LimitedFile, 'purpose'>): string {
  const most = String(maxLines).replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return `has more than ${most} lines, the maximum of a File for the purpose ${purpose}. ${ofUpload.lines}`;
}

/** A limit in the units of the document that states it. */
export function limitText(bytes: number): string {
  if (bytes >= 1e9 && bytes % 1e9 === 0) return `${bytes / 1e9} GB`;
  return bytes >= 1e6 && bytes % 1e6 === 0 ? `${bytes / 1e6} MB` : formatBytes(bytes);
}
