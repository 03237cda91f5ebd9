import type { Section, Table } from './section.ts';

export function toMarkdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

/** @param chartFolder where the page finds the charts' files */
export function toMarkdown({ about, tables, charts, notes }: Section, conditions: string, chartFolder: string): string {
  return [
    about,
    ...charts.map(({ name, alt }) => `![${alt}](${chartFolder}/${name}.svg)`),
    ...tables.map(toMarkdownTable),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join('\n')] : []),
    `<sub>${conditions}</sub>`,
  ].join('\n\n');
}
