import type { ContentCheck, ContentProblems, ContentReport, LineCheck } from '../../contracts/content.ts';

/** The check of `auto`, by purpose. The content of other Files is not checked. */
const byPurpose: Readonly<Record<string, LineCheck>> = { batch: 'batch', 'fine-tune': 'jsonl' };

/** The check of the lines of a request; undefined for none. */
export function lineCheckOf(check: ContentCheck, purpose: string): LineCheck | undefined {
  if (check === 'off') return undefined;
  if (check !== 'auto') return check;
  return Object.hasOwn(byPurpose, purpose) ? byPurpose[purpose] : undefined;
}

/** The lines of a report, with their reasons and without their content. */
export function contentProblems({ invalid, problems }: ContentReport): ContentProblems {
  return { invalid, problems };
}

/** The message of an error, whose lines are counted from the start of the File. */
export function contentMessage(name: string, { check, invalid, problems }: ContentReport): string {
  const lines = problems.map(({ line, reason }) => `line ${line} ${reason}`);
  const more = invalid > problems.length ? ` and ${invalid - problems.length} more` : '';
  const count = invalid === 1 ? '1 line is' : `${invalid} lines are`;
  return `the content of ${name} is invalid: ${count} not accepted by the check "${check}": ${lines.join(', ')}${more}. Correct it, or use --check off.`;
}
