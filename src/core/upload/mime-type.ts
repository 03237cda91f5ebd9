import { Defaults } from '../../contracts/limits.ts';

/**
 * Types of files that the service documents for its purposes, and types of text that general tables do not contain or
 * contain with another meaning (`.ts` is also a video, `.rs` a list of services). Activities use a general table for other
 * extensions: a workflow must not depend on it.
 */
const byExtension: Readonly<Record<string, string>> = {
  c: 'text/x-c',
  cc: 'text/x-c++',
  cjs: 'text/javascript',
  cpp: 'text/x-c++',
  cs: 'text/x-csharp',
  css: 'text/css',
  csv: 'text/csv',
  cts: 'application/typescript',
  cxx: 'text/x-c++',
  diff: 'text/x-diff',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  gif: 'image/gif',
  go: 'text/x-golang',
  gz: 'application/gzip',
  hpp: 'text/x-c++',
  htm: 'text/html',
  html: 'text/html',
  java: 'text/x-java',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript',
  json: 'application/json',
  jsonl: 'text/jsonl',
  kt: 'text/x-kotlin',
  md: 'text/markdown',
  mjs: 'text/javascript',
  mts: 'application/typescript',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  patch: 'text/x-diff',
  pdf: 'application/pdf',
  php: 'text/x-php',
  png: 'image/png',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  py: 'text/x-python',
  pyi: 'text/x-python',
  rb: 'text/x-ruby',
  rs: 'text/x-rust',
  rst: 'text/x-rst',
  scala: 'text/x-scala',
  sh: 'application/x-sh',
  swift: 'text/x-swift',
  tar: 'application/x-tar',
  tex: 'text/x-tex',
  tgz: 'application/gzip',
  ts: 'application/typescript',
  tsx: 'text/tsx',
  txt: 'text/plain',
  webp: 'image/webp',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  xml: 'text/xml',
  zip: 'application/zip',
  zst: 'application/zstd',
};

/** Returns the MIME type of a file by the last extension of its name, in upper or lower case; undefined if this table has none. */
export function knownMimeType(filename: string): string | undefined {
  const extension = /\.([^./]+)$/.exec(filename)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined;
}

/** Returns the type of a new Upload: the requested type, or a type by the name, which the activity can improve. */
export function mimeTypeFields(
  filename: string,
  requested: string | undefined,
): { readonly mimeType: string; readonly mimeTypeByName?: true } {
  if (requested !== undefined) return { mimeType: requested };
  return { mimeType: knownMimeType(filename) ?? Defaults.mimeType, mimeTypeByName: true };
}

const TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
const PATTERN = new RegExp(`^${TOKEN}/${TOKEN}(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"[^"\\\\\\p{Cc}]*"))*$`, 'u');

/** Returns the problem of a MIME type as the rest of a sentence; undefined for a valid one. */
export function mimeTypeProblem(mimeType: string): string | undefined {
  return PATTERN.test(mimeType) ? undefined : 'must be a MIME type, for example text/plain or application/pdf';
}
