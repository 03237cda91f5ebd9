import { TextLimits } from '../../contracts/limits.ts';
import type { Source } from '../../contracts/sources.ts';
import { quoted } from '../text/clip.ts';
import { anyTextUpTo, textUpTo, type Check } from '../text/check.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What is wrong with the source of a request, as the rest of a sentence; undefined for a good one. */
export function sourceProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return 'must be an object such as {"type":"file","path":"/data/x.jsonl"}';
  }
  const { type, ...fields } = value as Fields & { readonly type?: unknown };
  const check = typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type as Source['type']] : undefined;
  if (!check)
    return `has an unknown "type"; known: ${Object.keys(kinds)
      .map((kind) => `"${kind}"`)
      .join(', ')}`;
  const { range, ...others } = fields;
  return check(others) ?? (range === undefined ? undefined : rangeProblem(range));
}

/** The same of a folder or a bucket. */
export function containerProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return 'must be an object such as {"type":"folder","path":"/data/train"}';
  const { type, ...fields } = value as Fields;
  if (type === 's3') {
    const { bucket, prefix: within, connection, ...rest } = fields;
    if (nameText(bucket) !== undefined) return 'needs "bucket", its name';
    return wrongText({ prefix: within }, keyPrefix) ?? wrongText({ connection }) ?? unknownIn(rest);
  }
  if (type !== 'folder') return 'has an unknown "type"; known: "folder", "s3"';
  const { path, host, ...rest } = fields;
  if (typeof path !== 'string' || !path.startsWith('/')) return 'needs "path", an absolute path as the worker sees it';
  return wrongText({ path }, pathText) ?? wrongText({ host }) ?? unknownIn(rest);
}

/** One line for each kind of source. */
const kinds: Readonly<Record<Source['type'], (fields: Fields) => string | undefined>> = {
  file: ({ path, host, ...rest }) => {
    if (!isText(path) || !path.startsWith('/')) return 'needs "path", an absolute path as the worker sees it';
    return wrongText({ path }, pathText) ?? wrongText({ host }) ?? unknownIn(rest);
  },
  s3: ({ bucket, key, versionId, connection, ...rest }) => {
    if (!isText(bucket) || !isText(key)) return 'needs "bucket" and "key"';
    return wrongText({ key, versionId }, keyText) ?? wrongText({ bucket, connection }) ?? unknownIn(rest);
  },
  http: ({ url, sealedQuery, ...rest }) => {
    // The pattern stands for all that a Node-free check can say; the worker looks closer.
    const tooLong = isText(url) ? wrongText({ url }, textUpTo(TextLimits.url)) : undefined;
    if (tooLong !== undefined) return tooLong;
    if (!isText(url) || !/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/i.test(url)) {
      return 'needs "url", an http:// or https:// address without user, query and fragment, which may be secret';
    }
    return wrongText({ sealedQuery }, textUpTo(TextLimits.sealedQuery)) ?? unknownIn(rest);
  },
};

const nameText = textUpTo(TextLimits.name);
const pathText = textUpTo(TextLimits.path);
const keyPrefix = anyTextUpTo(TextLimits.objectKey);
const keyText = textUpTo(TextLimits.objectKey);

function rangeProblem(range: unknown): string | undefined {
  const { offsetBytes, sizeBytes, ...rest } = (range ?? {}) as Fields;
  const isWhole = (number: unknown, least: number) => Number.isSafeInteger(number) && (number as number) >= least;
  if (isWhole(offsetBytes, 0) && isWhole(sizeBytes, 1) && isWhole(Number(offsetBytes) + Number(sizeBytes), 1)) {
    return unknownIn(rest);
  }
  return 'has a wrong "range": it needs "offsetBytes" (0 or more) and "sizeBytes" (1 or more)';
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

/** The first of some properties that is given and wrong. */
export function wrongText(fields: Fields, check: Check = nameText): string | undefined {
  for (const [name, value] of Object.entries(fields)) {
    const problem = value === undefined ? undefined : check(value);
    if (problem !== undefined) return `"${name}" ${problem}`;
  }
  return undefined;
}

export function unknownIn(rest: Fields): string | undefined {
  const [first] = Object.keys(rest);
  return first === undefined ? undefined : `has an unknown property ${quoted(first)}`;
}
