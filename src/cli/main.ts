#!/usr/bin/env node
import module from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type { Io } from './context.ts';

// undici's parser of responses is WebAssembly. V8 of Node.js 20 optimises it at the start, which takes 60 ms of CPU time and
// up to 34 MiB. A response then takes the same time.
setFlagsFromString('--wasm-tiering-budget=1000000000');
// Before other modules are loaded. Node.js 20 does not have this function.
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
const { ExitCode, Interrupted } = await import('./errors.ts').catch(endWithoutModules);
const { CliRun, isDebugging } = await import('./run.ts').catch(endWithoutModules);

/** Time in which an interrupted command releases its work. After it, the process exits. */
const USUAL_END_MS = 20_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const interruption = new AbortController();
let hasBegun = false;
let longestEndMs = USUAL_END_MS;

const io: Io = {
  // A getter, because the process opens the stream at its first use.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interruption.signal,
  interrupt: (cause = new Interrupted('SIGINT')) => interrupt(cause),
  begin: () => {
    hasBegun = true;
  },
  allowLongerEnd: (extraMs) => {
    longestEndMs = USUAL_END_MS + extraMs;
  },
};
const command = new CliRun(process.argv.slice(2), io);

function interrupt(error: Error): void {
  const exit = () => end(error);
  if (!hasBegun || interruption.signal.aborted) exit();
  interruption.abort(error);
  setTimeout(exit, longestEndMs).unref();
}

/** Node.js reads all files of the command at the same time. Under a low limit, the code that prints errors is missing. */
function endWithoutModules(error: NodeJS.ErrnoException): never {
  if (error.code !== 'EMFILE') throw error;
  const problem = 'cannot load the command: too many open files in this process (EMFILE)';
  process.stderr.write(`longhaul: ${problem}. Raise the limit of open files (ulimit -n).\n`);
  process.exit(1);
}

function end(error: unknown): never {
  process.exit(command.fail(error));
}

for (const name of SIGNALS) process.on(name, () => interrupt(new Interrupted(name)));
// A closed reader (`longhaul list | head`) is not an error. A full disk (`longhaul list > FILE`) is.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  error.code === 'EPIPE' ? process.exit(ExitCode.done) : end(error),
);
process.stderr.on('error', () => {});
process.on('uncaughtException', end);

// Without this setting, AWS's SDK prints a warning about the version of Node.js into the output of the command.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
// The same for warnings about the code of libraries.
process.noDeprecation = !isDebugging(process.env);

process.exitCode = await command.run();
// Exits explicitly, because libraries can leave handles open. `setImmediate`, because a failed write is reported only after
// the callbacks.
process.stdout.write('', () => setImmediate(() => process.exit()));
