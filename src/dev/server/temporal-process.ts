import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readSync, fstatSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { childEnvironment } from '../../config/child-environment.ts';
import { attempt } from '../../core/objects.ts';
import { isVersionFrom } from '../../core/text/version.ts';
import { DatabaseSchemaError, prepareNamespace } from './namespace.ts';
import { portOwner } from './system.ts';
import { statePaths, type ServerPorts } from './state-files.ts';

const MAX_LOG_BYTES = 5 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024;
const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 20;
const GROUP_TIMEOUT_MS = 1_000;

export interface TemporalCli {
  readonly path: string;
  readonly version: string;
}

/**
 * Go requires a name and a home directory of a user that the system does not have, such as an arbitrary user of a container.
 * Temporal only logs them.
 */
function temporalEnvironment(stateDir: string): NodeJS.ProcessEnv {
  const { USER, HOME } = process.env;
  return childEnvironment({ USER: USER || 'longhaul', HOME: HOME || stateDir });
}

/** Temporal as a child process, on the database of a state directory. */
export class TemporalProcess {
  readonly pid: number | undefined;
  /** Resolves when the process no longer exists. */
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #stateDir: string;
  readonly #ports: ServerPorts;
  readonly #logOffset: number;
  #exit: string | undefined;
  #isStopped = false;

  /** Whether a signal killed it, for example because the system had no memory. */
  get wasKilled(): boolean {
    return this.#child.signalCode !== null && !this.#isStopped;
  }

  constructor(cli: TemporalCli, stateDir: string, ports: ServerPorts) {
    const { log } = statePaths(stateDir);
    this.#stateDir = stateDir;
    this.#ports = ports;
    this.#logOffset = shortenLog(log);
    const output = openSync(log, 'a', 0o600);
    // In a separate session and process group, so that Ctrl-C in a terminal does not reach it.
    this.#child = spawn(cli.path, temporalArguments(cli, stateDir, ports), {
      detached: true,
      cwd: stateDir,
      env: temporalEnvironment(stateDir),
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.pid = this.#child.pid;
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(void (this.#exit = `it exited (${signal ?? code})`)));
      this.#child.once('error', ({ message }) => resolve(void (this.#exit = message)));
    });
  }

  /**
   * Waits until Temporal responds and its namespace is ready.
   *
   * @returns the reason if it does not
   */
  async problem(): Promise<string | undefined> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    let reason = 'its port is closed';
    while (this.#exit === undefined && performance.now() < deadline) {
      try {
        await prepareNamespace(`127.0.0.1:${this.#ports.port}`);
        // A process of another user on this port would receive the requests.
        const owner = portOwner(this.#ports.port);
        if (owner === undefined || owner === process.getuid?.()) return undefined;
        return `the user with the ID ${owner} uses its port`;
      } catch (error) {
        reason = (error as Error).message;
        if (error instanceof DatabaseSchemaError) return reason;
      }
      await Promise.race([this.exited, delay(POLL_MS)]);
    }
    return this.#exit ?? `it did not respond within ${READY_TIMEOUT_MS / 1000} s (${reason})`;
  }

  /**
   * Stops it with SIGKILL. After SIGTERM, it would wait a second for its own polls. SIGKILL loses no data: each response is in
   * the log of SQLite, which survives a kill of the process and, with `fsync`, a crash of the machine.
   */
  async stop(): Promise<void> {
    this.#isStopped = this.#exit === undefined;
    this.#kill();
    await this.exited;
    await this.#groupHasEnded();
    try {
      const log = openSync(`${statePaths(this.#stateDir).database}-wal`, 'r+');
      fsyncSync(log);
      closeSync(log);
    } catch {
      // The process has no log.
    }
  }

  /** The server of a script can exit after it. Without a process that reaps it, it stays in the group. */
  async #groupHasEnded(): Promise<void> {
    const { pid } = this;
    if (pid === undefined) return;
    const deadline = performance.now() + GROUP_TIMEOUT_MS;
    while (attempt(() => process.kill(-pid, 0)) && performance.now() < deadline) await delay(POLL_MS);
  }

  /** Also kills the server if the command is a script that runs it as its child. */
  #kill(): void {
    const { pid } = this;
    // It can have exited.
    if (pid !== undefined) attempt(() => process.kill(-pid, 'SIGKILL'));
  }

  /** Reads only the end, because the log of a server that ran for long can be large. */
  logTail(): string {
    const file = openSync(statePaths(this.#stateDir).log, 'r');
    try {
      const { size } = fstatSync(file);
      const start = Math.max(this.#logOffset, size - TAIL_BYTES);
      const bytes = Buffer.alloc(Math.max(0, size - start));
      readSync(file, bytes, 0, bytes.length, start);
      return bytes.toString('utf8').trimEnd();
    } finally {
      closeSync(file);
    }
  }
}

function temporalArguments({ version }: TemporalCli, stateDir: string, { port, uiPort }: ServerPorts): string[] {
  const { database } = statePaths(stateDir);
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)];
  args.push('--db-filename', database, '--log-level', 'error');
  // Allows three times as many activities per second. A killed process still loses no data.
  args.push('--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal');
  // A second server on the same database exits immediately.
  args.push('--sqlite-pragma', 'locking_mode=exclusive');
  // Otherwise the server checks for newer versions.
  args.push('--dynamic-config-value', 'frontend.enableServerVersionCheck=false');
  // Without this, any web page could start workflows, because the HTTP API checks neither keys nor the origin of a request.
  args.push('--dynamic-config-value', 'frontend.httpAllowedHosts=[]');
  args.push('--dynamic-config-value', 'matching.enableFairness=true');
  // Each partition of a queue is fair separately. With one partition, the order is exact. It is sufficient for one machine.
  args.push('--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1');
  args.push('--dynamic-config-value', 'matching.numTaskqueueReadPartitions=1');
  // The server has one shard, and would look for new tasks of a busy shard only every 50 ms. Each step and each change of a
  // list would wait for that.
  args.push('--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000');
  args.push('--dynamic-config-value', 'history.visibilityProcessorMaxPollRPS=1000');
  // The UI of earlier versions has no news.
  if (isVersionFrom(version, '1.8')) args.push('--ui-disable-news-fetch');
  return args;
}

/** Empties a long log. @returns its size in bytes */
function shortenLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= MAX_LOG_BYTES) return size;
  truncateSync(path);
  return 0;
}
