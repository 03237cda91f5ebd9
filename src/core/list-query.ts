/** A text as a list query of Temporal's quotes it: an ID may have quotes, which would end the text there. */
export function queryText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
