import type { Command } from 'commander';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { barLine } from '../../../src/cli/text/progress.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { type TopRow, describeRows } from '../../../src/cli/commands/top/view.ts';
import { wrapText } from '../../../src/cli/text/wrap-text.ts';

const WIDTHS = [40, 60, 80];
const widestOf = (text: string) => Math.max(...text.split('\n').map((line) => stringWidth(line)));

describe('wrapText', () => {
  it('breaks lines between words, and indents the lines that continue one', () => {
    const line = '  2. uploading  train-00002.jsonl · 64 MiB · longhaul-train.jsonl-d0cda67163d8-00002';
    expect(wrapText(line, 40)).toBe(
      '  2. uploading  train-00002.jsonl · 64\n    MiB ·\n    longhaul-train.jsonl-d0cda67163d8-00002',
    );
  });

  it('does not break words that are longer than a line, and counts wide characters as two', () => {
    expect(wrapText(`${'x'.repeat(50)} y`, 40)).toBe(`${'x'.repeat(50)}\n  y`);
    expect(wrapText('訓練 データ 一覧', 10)).toBe('訓練\n  データ\n  一覧');
  });

  it('does not change lines in a pipe, or lines that fit', () => {
    const long = 'a '.repeat(100);
    expect(wrapText(long, undefined)).toBe(long);
    expect(wrapText('  a  b\nc', 6)).toBe('  a  b\nc');
  });
});

describe('barLine', () => {
  const words = ['45%', '460 MiB of 1 GiB', '12.5 MiB/s', '3 min 05 s left'];
  const line = { name: '訓練データ-2026-11-28-part-7.jsonl', fraction: 0.45, words };

  it.each(WIDTHS)('fits %i columns, with the name, the percentage and the time left', (columns) => {
    const text = barLine(line, columns);
    expect(stringWidth(text)).toBeLessThan(columns);
    expect(text).toMatch(/^訓.*45%.*left$/);
  });

  it('omits the bar, the amounts and the rate in this order', () => {
    expect(barLine({ ...line, name: 'a.bin' }, 100)).toBe(
      'a.bin [==========------------] 45% · 460 MiB of 1 GiB · 12.5 MiB/s · 3 min 05 s left',
    );
    expect(barLine({ ...line, name: 'a.bin' }, 80)).toBe(
      'a.bin [====----] 45% · 460 MiB of 1 GiB · 12.5 MiB/s · 3 min 05 s left',
    );
    expect(barLine({ ...line, name: 'a.bin' }, 65)).toBe('a.bin 45% · 460 MiB of 1 GiB · 12.5 MiB/s · 3 min 05 s left');
    expect(barLine({ ...line, name: 'a.bin' }, 45)).toBe('a.bin 45% · 12.5 MiB/s · 3 min 05 s left');
    expect(barLine({ ...line, name: 'a.bin' }, 40)).toBe('a.bin [====----] 45% · 3 min 05 s left');
  });

  it('is never wider than the terminal', () => {
    for (let columns = 2; columns < 120; columns += 1) {
      expect(stringWidth(barLine(line, columns))).toBeLessThan(columns);
      expect(stringWidth(barLine({ fraction: 2, words: ['uploading'] }, columns))).toBeLessThanOrEqual(columns);
    }
  });
});

describe('longhaul top on a narrow terminal', () => {
  const row: TopRow = {
    workflowId: 'longhaul-訓練データ-2026-11-28.jsonl-d0cda67163d8f00d',
    type: 'syncSource',
    filename: 'a-very-long-name-of-a-folder',
    state: 'completing',
    startedAt: new Date(0),
    bytes: 1024 ** 3,
    bytesDone: 0,
    bytesSent: 0,
    percent: 100,
    bytesPerSecond: 12.5 * 1024 ** 2,
    leftMs: 185_000,
    trouble: 'the service rejects the key (401). Set a valid key for the workers.',
    from: 'worker',
  };

  it.each(WIDTHS)('shows the state, the percentage, the ID and the waiting reason at %i columns', (columns) => {
    const lines = describeRows([row], columns);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines[0]).toMatch(columns > 40 ? /STATE +DONE.* ID .*PROBLEM/ : /STATE +DONE.* ID/);
    expect(lines[1]).toMatch(/^completing +100%.* longhau.*…/);
  });
});

describe('the help on a narrow terminal', () => {
  const program = createProgram(process, () => {
    throw new Error('no command runs');
  });
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];

  it.each(WIDTHS)('fits %i columns, except longer words', (columns) => {
    for (const command of all(program)) {
      const help = command.createHelp();
      help.prepareContext({ helpWidth: columns });
      const lines = wrapText(help.formatHelp(command, help), columns).split('\n');
      const tooWide = lines.filter((line) => stringWidth(line) > columns && line.trim().includes(' '));
      expect(tooWide, command.name()).toEqual([]);
      expect(
        lines.filter((line) => /^\s+$/.test(line)),
        command.name(),
      ).toEqual([]);
    }
    expect(widestOf(wrapText(program.helpInformation(), columns))).toBeLessThanOrEqual(80);
  });
});
