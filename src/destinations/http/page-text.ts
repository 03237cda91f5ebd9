/** A title or message is near the start of a page. */
const MAX_PAGE_CHARACTERS = 16 * 1024;

/** Elements whose content is not text for a reader. */
const HIDDEN = ['script', 'style', 'head'];

/**
 * Returns the text of an HTML page, or of any other text, from its start: one pass, each character is read a bounded
 * number of times, whatever a server sends.
 */
export function pageText(page: string): string {
  const text = page.slice(0, MAX_PAGE_CHARACTERS);
  const lower = text.toLowerCase();
  const pieces: string[] = [];
  /** Elements without an end are looked for only once. */
  const endless = new Set<string>();
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('<', at);
    if (open === -1) break;
    pieces.push(text.slice(at, open), ' ');
    const close = text.indexOf('>', open);
    if (close === -1) return pieces.join('');
    at = close + 1;
    const hidden = HIDDEN.find(
      (name) => lower.startsWith(name, open + 1) && !/[a-z0-9]/.test(lower.charAt(open + 1 + name.length)),
    );
    if (hidden === undefined || endless.has(hidden)) continue;
    const end = lower.indexOf(`</${hidden}`, at);
    if (end === -1) endless.add(hidden);
    else {
      if (hidden === 'head') pieces.push(titleOf(text.slice(at, end), lower.slice(at, end)), ' ');
      at = end;
    }
  }
  pieces.push(text.slice(at));
  return pieces.join('');
}

function titleOf(head: string, lower: string): string {
  const open = lower.indexOf('<title');
  const start = open === -1 ? -1 : lower.indexOf('>', open);
  const end = start === -1 ? -1 : lower.indexOf('</title', start);
  return end === -1 ? '' : head.slice(start + 1, end);
}
