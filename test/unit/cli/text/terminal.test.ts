import { expect, it } from 'vitest';
import { isLiveTerminal } from '../../../../src/cli/text/terminal.ts';

const terminal = { isTTY: true, columns: 80, rows: 24 } as NodeJS.WriteStream;

it.each([
  ['a terminal', terminal, 'xterm', true],
  ['a terminal of an unknown kind', terminal, undefined, true],
  ['a terminal without control sequences', terminal, 'dumb', false],
  ['a terminal without columns', { ...terminal, columns: 0 } as NodeJS.WriteStream, 'xterm', false],
  ['a terminal without rows', { ...terminal, rows: 0 } as NodeJS.WriteStream, 'xterm', false],
  ['a pipe', { ...terminal, isTTY: false } as NodeJS.WriteStream, 'xterm', false],
])('decides whether lines of %s can be overwritten', (_, stream, term, isLive) => {
  expect(isLiveTerminal(stream, term)).toBe(isLive);
});
