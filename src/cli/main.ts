#!/usr/bin/env node
import { inspect } from 'node:util';
import { isDebugging, loadConfig, silenceAwsSdk } from '../config/config.ts';
import { printable } from '../core/text/printable.ts';
import { redact } from '../redact.ts';
import { createContext, endAtSignals, printJsonError } from './context.ts';
import { describeError, ExitCode, exitCodeOf } from './exit.ts';
import { wantsJson } from './json-errors.ts';
import { createProgram } from './program.ts';
import { terminalWidth, wrapText } from './text/wrap-text.ts';

// A reader that went away (`longhaul list | head`) is not an error, and a full disk below `> FILE` is.
process.stdout.on('error', endOutput);
process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

function endOutput(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(ExitCode.done);
  fail(error);
  process.exit();
}

function fail(error: unknown): void {
  const line = describeError(error);
  if (line) process.stderr.write(`${wrapText(line, terminalWidth(process.stderr))}\n`);
  if (wantsJson(process.argv)) printJsonError(error);
  if (isDebugging()) process.stderr.write(`${redact(inspect(error)).split('\n').map(printable).join('\n')}\n`);
  process.exitCode = exitCodeOf(error);
}

silenceAwsSdk();
// Warnings about code of libraries would stand between a command's own lines.
process.noDeprecation = !isDebugging();
const hasContext = endAtSignals(fail);
try {
  await createProgram(() => {
    hasContext();
    return createContext(loadConfig(), fail);
  }).parseAsync();
} catch (error) {
  fail(error);
}
// Whatever a library still holds open must not keep a finished command alive.
// A write that failed is reported only after the callbacks.
process.stdout.write('', () => setImmediate(() => process.exit()));
