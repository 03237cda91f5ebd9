import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { formatTable, type Column } from '../../../../src/cli/text/table.ts';

interface Row {
  readonly id: string;
  readonly size: string;
  readonly note?: string;
}

const columns: readonly Column<Row>[] = [
  { header: 'ID', text: ({ id }) => id, shrinksTo: 6 },
  { header: 'SIZE', text: ({ size }) => size, align: 'right', dropOrder: 1 },
  { header: 'NOTE', text: ({ note }) => note ?? '', dropOrder: 2 },
];

describe('a table', () => {
  it('aligns its columns, and omits empty columns', () => {
    const rows = [
      { id: 'a', size: '1 B' },
      { id: 'longer', size: '100 B' },
    ];
    expect(formatTable(columns, rows)).toEqual(['ID       SIZE', 'a         1 B', 'longer  100 B']);
  });

  it('omits columns if it is too wide, then shortens texts in the middle', () => {
    const rows = [{ id: 'longhaul-train.jsonl-d0cda67163d8', size: '64 MiB', note: 'waits' }];
    expect(formatTable(columns, rows, 60)[1]).toBe('longhaul-train.jsonl-d0cda67163d8  64 MiB  waits');
    expect(formatTable(columns, rows, 42)[1]).toBe('longhaul-train.jsonl-d0cda67163d8  64 MiB');
    expect(formatTable(columns, rows, 33)[1]).toBe('longhaul-train.jsonl-d0cda67163d8');
    expect(formatTable(columns, rows, 16)[1]).toBe('longhaul…67163d8');
    for (let width = 1; width < 60; width += 1) {
      for (const line of formatTable(columns, rows, width)) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  it('shortens the widest column first', () => {
    const two: readonly Column<Row>[] = [
      { header: 'ID', text: ({ id }) => id, shrinksTo: 4 },
      { header: 'NOTE', text: ({ note }) => note ?? '', shrinksTo: 4 },
    ];
    const [, line] = formatTable(two, [{ id: 'abcdefgh', size: '', note: 'abcdefghijklmnopqrst' }], 20);
    expect(line).toMatch(/^abcdefgh {2}abcd.*…/);
    expect(stringWidth(line as string)).toBe(18 + 2);
  });

  it('counts characters of double width as two, and shows no control characters', () => {
    const [, line, second] = formatTable(columns, [
      { id: '訓練', size: '1 B' },
      { id: '\u001b[2J', size: '2 B' },
    ]);
    expect(line).toBe('訓練   1 B');
    expect(second).toBe('�[2J   2 B');
  });
});
