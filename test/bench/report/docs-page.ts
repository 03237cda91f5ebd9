import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fillGoalsTable } from './goals.ts';
import { toMarkdown } from './markdown.ts';
import type { Section } from './section.ts';

const docs = fileURLToPath(new URL('../../../docs', import.meta.url));
const page = join(docs, 'performance.md');
const CHARTS = 'charts';

/** Writes one scenario's section and charts, and its figures into the table of goals; the rest of the page stays. */
export async function writeSection(name: string, section: Section, conditions: string): Promise<void> {
  await mkdir(join(docs, CHARTS), { recursive: true });
  for (const chart of section.charts) await writeFile(join(docs, CHARTS, `${chart.name}.svg`), chart.svg);
  let text = await readFile(page, 'utf8');
  text = replaceBetween(text, name, () => toMarkdown(section, conditions, CHARTS));
  text = replaceBetween(text, 'goals', (old) => fillGoalsTable(old, { ...section.ratios, ...section.figures }));
  await writeFile(page, text);
}

/** @throws Error when the page has no such markers */
function replaceBetween(text: string, name: string, replace: (old: string) => string): string {
  const [begin, end] = [`<!-- bench:${name} -->\n`, `<!-- /bench:${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for ${name}: it needs ${begin}${end}`);
  return `${text.slice(0, from + begin.length)}\n${replace(text.slice(from + begin.length, to)).trim()}\n\n${text.slice(to)}`;
}
