/** One form of all spellings of a base URL: the same service must not be another destination. */
export function canonicalBaseUrl(text: string): string {
  const url = URL.parse(text);
  if (!url) return text;
  url.hash = '';
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url.search === '' ? url.href.replace(/\/$/, '') : url.href;
}
