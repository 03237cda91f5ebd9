import fc from 'fast-check';
import { mutated } from './mutated.ts';

/** Keys of the rows that stay correct. */
export const rowKeys = ['p/a.jsonl', 'p/b/c.jsonl', 'p/é 😀.jsonl'];

const row = (key: string) => ({
  Key: key,
  LastModified: '2025-11-01T12:00:00.000Z',
  ETag: '"d41d8cd98f00b204e9800998ecf8427e"',
  Size: 100,
  StorageClass: 'STANDARD',
  Owner: { ID: 'x', DisplayName: 'y' },
});

/** Rows that vary from a correct one. */
export const rows: fc.Arbitrary<unknown> = mutated(row('p/z.jsonl'));

const page = {
  Name: 'bucket',
  Prefix: 'p/',
  KeyCount: 3,
  MaxKeys: 1000,
  IsTruncated: false,
  Contents: rowKeys.map(row),
};

/** A whole page with further rows. */
export function listing(more: readonly unknown[]): string {
  return elementOf('ListBucketResult', { ...page, Contents: [...page.Contents, ...more] });
}

interface Page {
  readonly text: string;
  readonly status: number;
}

const ok = (text: string): Page => ({ text, status: 200 });
const bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>';

export const listings: fc.Arbitrary<Page> = fc.oneof(
  { weight: 50, arbitrary: mutated(page).map((changed) => ok(elementOf('ListBucketResult', changed))) },
  { weight: 10, arbitrary: fc.nat(800).map((length) => ok(listing([]).slice(0, length))) },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(
        `${bomb}<ListBucketResult><Name>&b;</Name></ListBucketResult>`,
        '<!DOCTYPE>'.repeat(100_000),
        '<'.repeat(65_536),
        '<a>'.repeat(200_000),
        `<ListBucketResult>${'<a>'.repeat(50_000)}${'</a>'.repeat(50_000)}</ListBucketResult>`,
        `<ListBucketResult>${'<Contents/>'.repeat(200_000)}</ListBucketResult>`,
        `<ListBucketResult>${'<Size>'.repeat(10_000)}</ListBucketResult>`,
        `<html>${'<p>login</p>'.repeat(10_000)}</html>`,
        '{"not":"xml"}',
        '',
        ' '.repeat(500_000),
        '<ListBucketResult/>',
      )
      .map(ok),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      status: fc.constantFrom(301, 400, 403, 404, 429, 500, 503),
      text: mutated({
        Code: 'SlowDown',
        Message: 'Please reduce your request rate.',
        Resource: '/x',
        RequestId: '1',
      }).map((error) => elementOf('Error', error)),
    }),
  },
);

/** As XML: lists become repeated elements, and nothing is checked. */
function elementOf(name: string, value: unknown, depth = 0): string {
  if (Array.isArray(value)) return value.map((one) => elementOf(name, one, depth + 1)).join('');
  const tag = name.replace(/[^\w]/g, '').slice(0, 100) || 'x';
  return `<${tag}>${innerOf(value, depth)}</${tag}>`;
}

function innerOf(value: unknown, depth: number): string {
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null || depth >= 30) return '';
  return Object.entries(value)
    .map(([key, content]) => elementOf(key, content, depth + 1))
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
