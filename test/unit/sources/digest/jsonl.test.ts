import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContentReport, LineCheck } from '../../../../src/contracts/content.ts';
import { JsonLines } from '../../../../src/sources/digest/json-lines.ts';
import { BatchRules } from '../../../../src/sources/digest/batch-rules.ts';
import { ChatRules } from '../../../../src/sources/digest/chat-rules.ts';
import { ObjectRules } from '../../../../src/sources/digest/line-rules.ts';
import { JsonlCheck, MAX_LISTED, type JsonlOptions } from '../../../../src/sources/digest/jsonl.ts';
import { GeneratedLines, isValidLine } from '../../../support/generated-lines.ts';

const all = { countsAll: true } as const;
const LINE_FEED = Buffer.from('\n');
/** `npm run generated-lines` sets it to 10^6. */
const LINES = Number(process.env['LONGHAUL_GENERATED_LINES'] ?? 8000);

function report(content: string | Buffer, options: JsonlOptions, chunkBytes = Infinity): ContentReport {
  const check = new JsonlCheck(options);
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    check.update(bytes.subarray(at, at + chunkBytes));
    if (chunkBytes === Infinity) break;
  }
  return check.end();
}

/** Creates a function that returns the verdict of the scanner alone, which also validates long lines. */
function createScanner(check: LineCheck): (line: Buffer) => boolean {
  const rules = { jsonl: new ObjectRules(), batch: new BatchRules(), chat: new ChatRules() }[check];
  let reason: string | undefined;
  const scanner = new JsonLines(rules, { line: (found) => void (reason = found) });
  return (line) => {
    reason = 'no line';
    scanner.update(line);
    scanner.update(LINE_FEED);
    return reason === undefined;
  };
}

/** Whether each line of a File is valid, by `JSON.parse` and the schema. A line with the ID of an earlier line is not. */
function validLines(
  lines: readonly Buffer[],
  check: LineCheck,
): { readonly alone: boolean; readonly inFile: boolean }[] {
  const ids = new Set<unknown>();
  return lines.map((line, index) => {
    const alone = isValidLine(line, check);
    const isEmptyEnd = index > 0 && index === lines.length - 1 && ['', '\r'].includes(line.toString('latin1'));
    if (isEmptyEnd) return { alone, inFile: true };
    if (!alone || check !== 'batch') return { alone, inFile: alone };
    const { custom_id: id } = JSON.parse(line.toString()) as { custom_id: string };
    const inFile = !ids.has(id);
    ids.add(id);
    return { alone, inFile };
  });
}

const reasons = (content: string | Buffer, check: LineCheck = 'jsonl') =>
  report(content, { check, ...all }).problems.map(({ line, reason }) => `${line} ${reason}`);

describe('the check of lines', () => {
  it('agrees with JSON.parse and the schema of each check', () => {
    const generated = new GeneratedLines(42);
    const checks = (['jsonl', 'batch', 'chat'] as const).map((check) => ({
      check,
      scan: createScanner(check),
      valid: 0,
    }));
    for (let number = 0; number < LINES; number += MAX_LISTED) {
      const lines = Array.from({ length: MAX_LISTED }, () => generated.line());
      const content = Buffer.concat(lines.flatMap((line) => [line, LINE_FEED]));
      for (const one of checks) {
        const expected = validLines(lines, one.check);
        const found = new Set(report(content, { check: one.check, ...all }).problems.map(({ line }) => line));
        const wrong = expected.findIndex(
          ({ inFile }, index) => inFile === found.has(index + 1) || expected[index]?.alone !== one.scan(lines[index]!),
        );
        if (wrong !== -1) throw new Error(`${one.check}, line ${wrong + 1} of:\n${content.toString('latin1')}`);
        one.valid += lines.length - found.size;
      }
    }
    for (const { valid } of checks) expect(valid).toBeGreaterThan(LINES / 50);
  }, 600_000);

  it.each(['jsonl', 'batch', 'chat'] as const)('returns the same report for chunks of any size, for %s', (check) => {
    const generated = new GeneratedLines(7);
    const lines = Array.from({ length: 300 }, () => generated.line());
    const content = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
    const whole = report(content, { check, ...all });
    for (const bytes of [1, 2, 3, 7, 64, 1000]) expect(report(content, { check, ...all }, bytes)).toEqual(whole);
    const long = Buffer.concat(
      lines.map((line) => Buffer.concat([Buffer.alloc(300 * 1024, ' '), line, Buffer.from('\n')])),
    );
    const ofLong = report(long.subarray(0, 15 * 300 * 1024), { check, ...all }, 100_000);
    const start = Buffer.concat(lines.slice(0, ofLong.lines - 1).flatMap((line) => [line, Buffer.from('\n')]));
    const expected = report(start, { check, ...all }).problems.map(({ line, reason }) => [
      line,
      reason.replace(/ \d+$/, ''),
    ]);
    const found = ofLong.problems.filter(({ line }) => line < ofLong.lines);
    expect(found.map(({ line, reason }) => [line, reason.replace(/ \d+$/, '')])).toEqual(
      expected.slice(0, found.length),
    );
  });

  it('resumes from the state at the start of any line, and returns the same report', () =>
    fc.assert(
      fc.property(fc.integer(), fc.nat(40), fc.constantFrom('jsonl', 'batch', 'chat'), (seed, cut, check) => {
        const generated = new GeneratedLines(seed);
        const lines = Array.from({ length: 40 }, () => Buffer.concat([generated.line(), Buffer.from('\n')]));
        lines.push(Buffer.from(lines[0] as Uint8Array));
        const options = { check, ...all } as JsonlOptions;
        const first = new JsonlCheck(options);
        const [before, after] = [Buffer.concat(lines.slice(0, cut)), Buffer.concat(lines.slice(cut))];
        first.update(before);
        const second = new JsonlCheck(options);
        expect(second.load(first.save(), before.length)).toBe(true);
        second.update(after);
        expect(second.end()).toEqual(report(Buffer.concat(lines), options));
      }),
      { numRuns: 50 },
    ));

  it.each(['', 'x', '{}', '[]', '{"lines":1}'])('does not resume from the unusable state %j', (state) => {
    expect(new JsonlCheck({ check: 'batch' }).load(state, 0)).toBe(false);
  });

  it('reports the line and the reason, and never the content', () => {
    const canary = 'canary';
    const content = Buffer.concat([
      Buffer.from(`{"${canary}":1}\n\n${canary}\n["${canary}"]\n{"a":"${canary}`),
      Buffer.from([0xff]),
      Buffer.from(`"}\n  \n{"a":1}{\n{"${canary}":1}`),
    ]);
    expect(reasons(content)).toEqual([
      '2 is empty',
      '3 is not valid JSON at byte 1',
      '4 is not a JSON object',
      '5 is not valid UTF-8 at byte 13',
      '6 is empty',
      '7 is not valid JSON at byte 8',
    ]);
    expect(JSON.stringify(reasons(content))).not.toContain(canary);
    expect(reasons('\ufeff{}\n\ufeff{}\n')).toEqual([
      '1 starts with a byte order mark (BOM)',
      '2 is not valid JSON at byte 1',
    ]);
    expect(reasons('{}\n{}')).toEqual([]);
    expect(reasons('{}\r\n{}\r\n')).toEqual([]);
    expect(reasons('{}\n  \n')).toEqual(['2 is empty']);
  });

  it.each([1, 2, Infinity])('recognises UTF-16 by its byte order mark, in chunks of %d bytes', (chunkBytes) => {
    const little = Buffer.from(`\ufeff{"a":"${'b'.repeat(300_000)}"}\n`, 'utf16le');
    for (const content of [little, Buffer.from(little).swap16()]) {
      const [first] = report(content, { check: 'jsonl' }, chunkBytes).problems;
      expect(first).toEqual({ line: 1, reason: 'is UTF-16, and must be UTF-8' });
    }
  });

  it.each(['\n', '\r\n', '\r'])('accepts one empty last line (%j), and does not count it', (empty) => {
    const found = report(`{}\n{}\n${empty}`, { check: 'jsonl', maxLines: 2 }, 1);
    expect(found).toMatchObject({ lines: 2, invalid: 0 });
    expect(reasons(`{}\n\n${empty}`)).toEqual(['2 is empty']);
    expect(reasons(empty)).toEqual(['1 is empty']);
    expect(reasons(`{}\n${empty === '\r' ? '\r\n' : empty}{}\n`)).toEqual(['2 is empty']);
  });

  it('resumes after an empty line, which is then the last line or invalid', () => {
    for (const [rest, problems] of [
      ['', []],
      ['{}\n', [{ line: 2, reason: 'is empty' }]],
    ] as const) {
      const first = new JsonlCheck({ check: 'jsonl' });
      first.update(Buffer.from('{}\n\n'));
      const second = new JsonlCheck({ check: 'jsonl' });
      expect(second.load(first.save(), 4)).toBe(true);
      second.update(Buffer.from(rest));
      expect(second.end().problems).toEqual(problems);
    }
  });

  it('compares the requests of a batch', () => {
    const line = (id: string, url = '/v1/a', model = 'm') =>
      `{"custom_id":${id},"method":"POST","url":"${url}","body":{"model":"${model}"}}\n`;
    expect(
      reasons([line('"a"'), line('"b"'), line('"\\u0061"'), line('"é"'), line('"\\u00e9"')].join(''), 'batch'),
    ).toEqual(['3 has the "custom_id" of line 1', '5 has the "custom_id" of line 4']);
    expect(reasons('{"custom_id":1}\n{"custom_id":"a","method":"POST","url":"u","body":[]}\n{}\n', 'batch')).toEqual([
      '1 has a "custom_id" that is not a string',
      '2 has a "body" that is not an object',
      '3 has no "custom_id"',
    ]);
    // The last value of a key counts, as for JSON.parse.
    expect(reasons('{"custom_id":1,"custom_id":"a","method":"","url":"","body":{}}\n', 'batch')).toEqual([]);
    const other = report(line('"a"') + line('"b"', '/v1/b', 'n'), { check: 'batch' });
    expect(other.warnings).toEqual([
      'the requests have more than one "url", and a batch has one endpoint',
      'the requests have more than one "model"',
    ]);
    expect(report(line('"a"') + line('"b"'), { check: 'batch' })).toMatchObject({ lines: 2, invalid: 0, warnings: [] });
    const many = Array.from({ length: 12_000 }, (_, index) => line(`"r${index % 11_999}"`)).join('');
    expect(reasons(many, 'batch')).toEqual(['12000 has the "custom_id" of line 1']);
  });

  it('compares requests of more layouts than it stores', () => {
    const line = (index: number) =>
      `{"custom_id":"r${index % 9000}","method":"POST","url":"u","body":{"k${(7 * index) % 1500}":${index}}}\n`;
    const content = Array.from({ length: 10_000 }, (_, index) => line(index)).join('');
    const { invalid, problems } = report(content, { check: 'batch', ...all });
    expect(invalid).toBe(1000);
    expect(problems[0]).toEqual({ line: 9001, reason: 'has the "custom_id" of line 1' });
  });

  it('reports the same problem for all lines of a layout', () => {
    const invalid = '{"custom_id":"a","method":"POST","url":1,"body":{"n":-1.5}}\n';
    const content = `${invalid}${invalid.replace('-1.5', '2e9')}{"custom_id":"a","method":"POST"}\n`;
    expect(reasons(content, 'batch')).toEqual([
      '1 has a "url" that is not a string',
      '2 has a "url" that is not a string',
      '3 has no "url"',
    ]);
  });

  it('does not resume from the state of another version', () => {
    const state = JSON.parse(new JsonlCheck({ check: 'batch' }).save()) as object;
    expect(new JsonlCheck({ check: 'batch' }).load(JSON.stringify(state), 0)).toBe(true);
    expect(new JsonlCheck({ check: 'batch' }).load(JSON.stringify({ ...state, version: 1 }), 0)).toBe(false);
  });

  it('rejects the line after the maximum number of lines', () => {
    expect(report('{}\n{}\n{}\n', { check: 'jsonl', maxLines: 2 }).problems).toEqual([
      { line: 3, reason: 'exceeds the maximum of 2 lines of a File' },
    ]);
    expect(report('{}\n{}', { check: 'jsonl', maxLines: 2 }).invalid).toBe(0);
  });

  it('lists 20 lines, then stops, and counts all lines only on request', () => {
    const content = '[]\n'.repeat(100);
    const check = new JsonlCheck({ check: 'jsonl' });
    check.update(Buffer.from(content));
    expect(check.isDecided).toBe(true);
    expect(check.end()).toMatchObject({ invalid: 100, problems: { length: 20 } });
    expect(new JsonlCheck({ check: 'jsonl', ...all }).isDecided).toBe(false);
  });

  it('accepts and rejects chats', () => {
    const ok = '{"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[]}],"tools":[{}]}\n';
    const preference =
      '{"input":{"messages":[{"role":"user","content":[]}]},"preferred_output":[{"role":"assistant","content":""}],';
    expect(reasons(`${ok}${preference}"non_preferred_output":[{"role":"assistant","content":""}]}\n`, 'chat')).toEqual(
      [],
    );
    expect(
      reasons(`{}\n{"messages":[]}\n{"messages":[{}]}\n{"messages":[{"role":"x"}]}\n${preference}"a":1}\n`, 'chat'),
    ).toEqual([
      '1 has no "messages"',
      '2 has an empty list "messages"',
      '3 has an invalid "messages": message 1 has no "role"',
      '4 has an invalid "messages": message 1 has an unknown "role"',
      '5 has no "non_preferred_output"',
    ]);
  });

  it('checks tools and functions, and calls of both, in any order', () => {
    const messages = '"messages":[{"role":"user","content":"a"}]';
    const call = (calls: string) => `{"messages":[{"role":"assistant",${calls}}]}`;
    const lines = [
      `{${messages},"tools":[1],"functions":[{}]}`,
      `{${messages},"functions":{},"tools":[{}]}`,
      call('"tool_calls":[],"function_call":null'),
      call('"tool_calls":null,"function_call":{}'),
      call('"tool_calls":null,"function_call":null'),
    ];
    expect(reasons(`${lines.join('\n')}\n`, 'chat')).toEqual([
      '1 has an invalid "tools": item 1 is not an object',
      '2 has "functions" that is not a list',
      '5 has an invalid "messages": message 1 has no "content"',
    ]);
  });

  it('accepts lines of any depth', () => {
    const deep = `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}\n`;
    expect(reasons(deep)).toEqual([]);
    expect(reasons(`${' '.repeat(300 * 1024)}${deep}`)).toEqual([]);
  });
});
