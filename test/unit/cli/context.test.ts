import { describe, expect, it } from 'vitest';
import { createContext, printJson, type CliContext, type Io } from '../../../src/cli/context.ts';
import { describeError } from '../../../src/cli/errors.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { rememberSecrets } from '../../../src/redact.ts';

const HOSTILE = 'a\u001b[2J\u009b\u202e\u200b\n\u2028b';
const KEY = 'sk-canary-of-the-writer-0451';

/** Output of a command on both streams. */
function printed(run: (context: CliContext) => void): string {
  const texts: string[] = [];
  const capture = (text: string | Uint8Array) => Boolean(texts.push(String(text)));
  const stream = { write: capture };
  const io = { stdout: stream, stderr: stream } as unknown as Io;
  run(createContext(loadConfig({}), io, (value) => printJson(io, value)));
  return texts.join('');
}

describe('the writer of the commands', () => {
  it('prints a hostile name on one line without control characters, on both streams', () => {
    const shown = 'a�[2J�����b\n';
    expect(printed(({ out }) => out(HOSTILE))).toBe(shown);
    expect(printed(({ note }) => note(HOSTILE))).toBe(shown);
    expect(printed(({ out }) => out([HOSTILE, 'c']))).toBe(`${shown.trimEnd()}\tc\n`);
    expect(printed(({ out }) => ['x', 'y'].forEach(out))).toBe('x\ny\n');
  });

  it('prints the exact data as JSON, with such characters escaped', () => {
    const json = printed((context) => context.json({ name: HOSTILE }));
    expect(json.trimEnd()).toBe(String.raw`{"name":"a\u001b[2J\u009b\u202e\u200b\n\u2028b"}`);
    expect(JSON.parse(json)).toEqual({ name: HOSTILE });
  });

  it('prints no secret on standard error', () => {
    rememberSecrets([KEY]);
    const basic = Buffer.from(`user:${KEY}`).toString('base64');
    const text = `cannot read https://h/x?sig=canary with ${KEY} or ${basic}`;
    expect(printed(({ note }) => note(text))).not.toMatch(/canary|dXNlcjpz/);
    expect(describeError(new Error(text))).not.toMatch(/canary/);
  });
});
