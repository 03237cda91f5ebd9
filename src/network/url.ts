/** The host of a URL: an IPv6 address is in brackets. */
export function hostOfUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The address of the host of a URL. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

/** One form of all spellings of a base URL: the same service must not be another destination. */
export function canonicalBaseUrl(text: string): string {
  const url = URL.parse(text);
  if (!url) return text;
  url.hash = '';
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url.search === '' ? url.href.replace(/\/$/, '') : url.href;
}
