/** A listing has five levels, and a page of 1,000 rows some 30,000 tags. */
const MAX_DEPTH = 16;
const MAX_TAGS = 100_000;
const MAX_CODE_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 500;

/**
 * Checks that a page of a listing is one, and whole, before it is parsed: the SDK's parser works by recursion, and needs
 * time for a document type. One pass over the text.
 *
 * @throws Error
 */
export function assertListing(xml: string): void {
  if (!/^(?:\ufeff)?\s{0,100}(?:<\?xml[^>]{0,200}\?>)?\s{0,100}<ListBucketResult[\s>]/.test(xml)) throw noListing();
  let depth = 0;
  let tags = 0;
  for (let at = xml.indexOf('<'); at !== -1; at = xml.indexOf('<', at + 1)) {
    const next = xml[at + 1];
    if (next === '?') continue;
    const end = xml.indexOf('>', at);
    if (next === '!' || end === -1 || ++tags > MAX_TAGS) throw noListing();
    if (next === '/') depth--;
    else if (xml[end - 1] !== '/') depth++;
    if (depth < 0 || depth > MAX_DEPTH) throw noListing();
    at = end;
  }
  // An answer that broke off must not look like one that says that the rest is gone.
  if (depth !== 0 || !xml.trimEnd().endsWith('</ListBucketResult>')) throw noListing();
}

/** Takes out of a page the values that the SDK would reject the whole page for; the row is without them then. */
export function repairRows(xml: string): string {
  return xml.replace(
    /<(Size|LastModified|IsTruncated|KeyCount|MaxKeys|RestoreExpiryDate)>([^<]*)<\/\1>/g,
    (all, name, value) => (isReadable(name as string, value as string) ? (all as string) : ''),
  );
}

/** An error as S3 writes it, with what matters of what was answered. */
export function errorOf(answer: string): string {
  const code = textOf(answer, 'Code')
    .slice(0, MAX_CODE_LENGTH)
    .replace(/[^\w.-]/g, '');
  const message = textOf(answer, 'Message').slice(0, MAX_MESSAGE_LENGTH);
  const region = textOf(answer, 'Region').slice(0, MAX_CODE_LENGTH);
  const fields = [
    ['Code', code],
    ['Message', message],
    ['Region', region],
  ].filter(([, text]) => text !== '');
  if (fields.length === 0) return '';
  return `<Error>${fields.map(([name, text]) => `<${name}>${escaped(text as string)}</${name}>`).join('')}</Error>`;
}

function noListing(): Error {
  return new Error('its answer is no list, or is not whole');
}

function isReadable(name: string, value: string): boolean {
  if (name === 'IsTruncated') return value === 'true' || value === 'false';
  if (name === 'Size' || name === 'KeyCount' || name === 'MaxKeys') return /^\d{1,16}$/.test(value);
  return (
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  );
}

/** The text of the first element of that name. */
function textOf(xml: string, name: string): string {
  const open = `<${name}>`;
  const from = xml.indexOf(open);
  if (from === -1) return '';
  const to = xml.indexOf('<', from + open.length);
  return to === -1 ? '' : xml.slice(from + open.length, to);
}

/** It is escaped already; what is no entity of XML's own is no entity. */
function escaped(text: string): string {
  return text.replace(/&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});)/g, '&amp;');
}
