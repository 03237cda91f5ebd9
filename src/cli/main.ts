#!/usr/bin/env node
import module from 'node:module';
import type { Io } from './context.ts';

// Before anything is loaded. Node.js 20 has none.
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
const { ExitCode, Interrupted } = await import('./errors/exit.ts');
const { CliRun, isDebugging } = await import('./run.ts');

/** A command that was interrupted hands its work back; whatever keeps it longer must not keep the person. */
const USUAL_END_MS = 20_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const interruption = new AbortController();
let hasBegun = false;
let longestEndMs = USUAL_END_MS;

const io: Io = {
  // A getter of the process, which opens the stream when it is first used.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interruption.signal,
  interrupt: () => interrupt('SIGINT'),
  begin: () => {
    hasBegun = true;
  },
  allowLongerEnd: (extraMs) => {
    longestEndMs = USUAL_END_MS + extraMs;
  },
};
const command = new CliRun(process.argv.slice(2), io);

function interrupt(name: string): void {
  const error = new Interrupted(name);
  const exit = () => end(error);
  if (!hasBegun || interruption.signal.aborted) exit();
  interruption.abort(error);
  setTimeout(exit, longestEndMs).unref();
}

function end(error: unknown): never {
  process.exit(command.fail(error));
}

for (const name of SIGNALS) process.on(name, () => interrupt(name));
// A reader that went away (`longhaul list | head`) is not an error, and a full disk below `> FILE` is.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  error.code === 'EPIPE' ? process.exit(ExitCode.done) : end(error),
);
process.stderr.on('error', () => {});
process.on('uncaughtException', end);

// AWS's SDK warns of the version of Node when it is first used, which would stand between a command's own words.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
// So would warnings about the code of libraries.
process.noDeprecation = !isDebugging(process.env);

process.exitCode = await command.run();
// Whatever a library still holds open must not keep a finished command alive.
// A write that failed is reported only after the callbacks.
process.stdout.write('', () => setImmediate(() => process.exit()));
