import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { childEnvironment } from '../../config/child-environment.ts';
import { LonghaulError } from '../../errors.ts';
import { packageFiles } from '../../package-files.ts';

/** The demo cannot complete, or does not show that an upload survives a kill. */
export class DemoFailedError extends LonghaulError {
  readonly code = 'DEMO_FAILED';
  readonly retryable = false;
}

const READY_TIMEOUT_MS = 30_000;

/** A `longhaul worker` in a separate process, which can be killed. */
export class WorkerProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Resolves when the worker prints that it polls.
   *
   * @param file the only file that it can read
   * @throws DemoFailedError with its output if it exits
   */
  static async start(file: string, environment: Readonly<Record<string, string>>): Promise<WorkerProcess> {
    const child = spawn(process.execPath, [packageFiles.command, 'worker', '--root', file], {
      env: childEnvironment(environment),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_TIMEOUT_MS);
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      if (line.startsWith('worker on ')) break;
    }
    clearTimeout(timer);
    // The pipe must not become full.
    child.stderr.resume();
    if (said.at(-1)?.startsWith('worker on ')) return new WorkerProcess(child);
    throw new DemoFailedError(`the worker did not start: ${said.join(' · ') || 'it printed nothing'}`);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}
