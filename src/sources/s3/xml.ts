/** A page of 1,000 rows has some 30,000. */
const MAX_TAGS = 100_000;
const MAX_CODE_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 500;

interface Element {
  readonly name: string;
  readonly inner: string;
}

const isAnything = () => true;
const isDigits = (text: string) => /^\d{1,16}$/.test(text);
const isTruth = (text: string) => text === 'true' || text === 'false';
const isTime = (text: string) =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(text) &&
  !Number.isNaN(Date.parse(text));

/** The elements of a page and of a row that Longhaul reads, and the texts that the SDK can read there. */
const pageFields = { IsTruncated: isTruth, NextContinuationToken: isAnything } as const;
const storageFields = { StorageClass: (text: string) => /^[A-Z_]{1,40}$/.test(text) } as const;
const restoreFields = { IsRestoreInProgress: isTruth, RestoreExpiryDate: isTime } as const;
const rowFields = { Key: isAnything, Size: isDigits, ETag: isAnything, LastModified: isTime } as const;

/**
 * Returns a page of a listing with only the elements that Longhaul reads, in a form that the SDK accepts. The SDK would
 * reject the whole page because of one invalid value, its parser is recursive, and a document type costs it time. A value
 * that cannot be read is missing in its row. Makes two passes over the text.
 *
 * @throws Error if the page is invalid or incomplete: a truncated response must not look like deleted objects
 */
export function cleanListing(xml: string): string {
  const [root, ...others] = childrenOf(xml.replace(/^\ufeff?\s*(?:<\?xml[^>]{0,200}\?>)?/, ''));
  if (root?.name !== 'ListBucketResult' || others.length > 0) throw noListing();
  const children = childrenOf(root.inner);
  const contents = children.filter(({ name }) => name === 'Contents').map(({ inner }) => rowOf(childrenOf(inner)));
  return `<ListBucketResult>${fieldsOf(children, pageFields)}${contents.join('')}</ListBucketResult>`;
}

function rowOf(elements: readonly Element[]): string {
  const [restore, ...others] = elements.filter(({ name }) => name === 'RestoreStatus');
  const status = restore && others.length === 0 ? fieldsOf(childrenOf(restore.inner), restoreFields) : '';
  // A row without a field would not be a structure.
  const storage = fieldsOf(elements, storageFields) || '<StorageClass>any</StorageClass>';
  const restored = status === '' ? '' : `<RestoreStatus>${status}</RestoreStatus>`;
  return `<Contents>${storage}${fieldsOf(elements, rowFields)}${restored}</Contents>`;
}

/** The fields that occur once, with a valid text. */
function fieldsOf(elements: readonly Element[], fields: Readonly<Record<string, (text: string) => boolean>>): string {
  return Object.entries(fields)
    .map(([name, isReadable]) => {
      const [first, ...others] = elements.filter((element) => element.name === name);
      if (!first || others.length > 0 || first.inner.includes('<') || !isReadable(first.inner)) return '';
      return `<${name}>${escaped(first.inner)}</${name}>`;
    })
    .join('');
}

/** The elements of a text that contains only complete elements. @throws Error */
function childrenOf(xml: string): Element[] {
  const children: Element[] = [];
  let depth = 0;
  let tags = 0;
  let begin = { name: '', at: 0 };
  for (let at = xml.indexOf('<'); at !== -1;) {
    const end = xml.indexOf('>', at);
    const isEnd = xml[at + 1] === '/';
    if (end === -1 || xml[at + 1] === '!' || xml[at + 1] === '?' || ++tags > MAX_TAGS) throw noListing();
    if (isEnd) {
      depth--;
      if (depth === 0) children.push({ name: begin.name, inner: xml.slice(begin.at, at) });
    } else {
      const isEmpty = xml[end - 1] === '/';
      if (depth === 0) begin = { name: nameOf(xml.slice(at + 1, Math.min(end, at + 100))), at: end + 1 };
      if (isEmpty && depth === 0) children.push({ name: begin.name, inner: '' });
      if (!isEmpty) depth++;
    }
    if (depth < 0) throw noListing();
    at = xml.indexOf('<', end);
  }
  if (depth !== 0) throw noListing();
  return children;
}

function nameOf(tag: string): string {
  return /^[^\s/]*/.exec(tag)?.[0] ?? '';
}

/** An error in the form of S3, with the relevant values of the response. */
export function errorOf(answer: string): string {
  const code = textOf(answer, 'Code')
    .slice(0, MAX_CODE_LENGTH)
    .replace(/[^\w.-]/g, '');
  const message = textOf(answer, 'Message').slice(0, MAX_MESSAGE_LENGTH);
  const region = textOf(answer, 'Region').slice(0, MAX_CODE_LENGTH);
  const fields = Object.entries({ Code: code, Message: message, Region: region }).filter(([, text]) => text !== '');
  if (fields.length === 0) return '';
  return `<Error>${fields.map(([name, text]) => `<${name}>${escaped(text)}</${name}>`).join('')}</Error>`;
}

function noListing(): Error {
  return new Error('its response is not a list, or is incomplete');
}

/** The text of the first element of that name. */
function textOf(xml: string, name: string): string {
  const open = `<${name}>`;
  const from = xml.indexOf(open);
  if (from === -1) return '';
  const to = xml.indexOf('<', from + open.length);
  return to === -1 ? '' : xml.slice(from + open.length, to);
}

/** It is escaped already. Only the entities of XML are replaced. */
function escaped(text: string): string {
  return text.replace(/&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});)/g, '&amp;');
}
