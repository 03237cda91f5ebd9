#!/usr/bin/env node
import { inspect } from 'node:util';
import { isDebugging, loadConfig, silenceAwsSdk } from '../config.ts';
import { printable } from '../core/printable.ts';
import { redact } from '../redact.ts';
import { createContext } from './context.ts';
import { describeError, ExitCode, exitCodeOf } from './exit.ts';
import { createProgram } from './program.ts';

// A reader that went away (`longhaul list | head`) is no fault.
process.stdout.on('error', () => process.exit(ExitCode.done));

silenceAwsSdk();
try {
  await createProgram(() => createContext(loadConfig())).parseAsync();
} catch (error) {
  const line = describeError(error);
  if (line) process.stderr.write(`${line}\n`);
  if (isDebugging()) process.stderr.write(`${redact(inspect(error)).split('\n').map(printable).join('\n')}\n`);
  process.exitCode = exitCodeOf(error);
}
// Whatever a library still holds open must not keep a finished command alive.
process.stdout.write('', () => process.exit());
