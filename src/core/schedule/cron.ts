interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] as const;
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const seconds: Field = { name: 'seconds', least: 0, most: 59 };
const year: Field = { name: 'year', least: 2000, most: 2100 };
const five: readonly Field[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, words: months },
  { name: 'day of week', least: 0, most: 7, words: days },
];
const shapes: Readonly<Record<number, readonly Field[]>> = { 5: five, 6: [...five, year], 7: [seconds, ...five, year] };

const shorthands = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/;

/**
 * What is wrong with a cron expression, in the dialect that Temporal reads; undefined for a good one. Temporal's own
 * parser has the last word, but it says one problem at a time, and without the field.
 */
export function cronProblem(expression: string): string | undefined {
  const text = expression.trim();
  if (shorthands.test(text)) return undefined;
  if (text.startsWith('@every')) return 'give "@every" as the interval instead';
  if (text.startsWith('@')) return 'unknown shorthand; known: @hourly, @daily, @weekly, @monthly, @yearly';
  if (/^(CRON_)?TZ=/.test(text)) return 'give the time zone as the time zone, not in the expression';
  if (text.includes('#')) return 'comments ("#") are not taken; use the note';
  const parts = text.split(/\s+/);
  const fields = shapes[parts.length];
  if (!fields || text === '') {
    return 'needs five fields: minute, hour, day of month, month, day of week (six: year last; seven: seconds first too)';
  }
  for (const [index, field] of fields.entries()) {
    const wrong = (parts[index] as string).split(',').find((item) => !isRange(item, field));
    if (wrong !== undefined)
      return `"${wrong}" is no ${field.name} (${field.least} to ${field.most}${examples(field)})`;
  }
  return undefined;
}

function isRange(item: string, field: Field): boolean {
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) return false;
  if (range === '*') return true;
  const [start = '', end, ...rest] = range.split('-');
  const from = valueOf(start, field);
  const to = end === undefined ? from : valueOf(end, field);
  return rest.length === 0 && from !== undefined && to !== undefined && from <= to;
}

function valueOf(text: string, { least, most, words }: Field): number | undefined {
  const word = words?.indexOf(text.toLowerCase().slice(0, 3)) ?? -1;
  if (word >= 0 && /^[a-z]+$/i.test(text)) return word + least;
  const value = Number(text);
  return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined;
}

function examples({ words }: Field): string {
  return words ? `, or ${words[0]} to ${words.at(-1)}` : '';
}
