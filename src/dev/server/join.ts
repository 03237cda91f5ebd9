import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import { ConfigError } from '../../errors.ts';
import { EmbeddedTemporalError, stateDirectoryError } from './errors.ts';
import { openPrivateState } from './private-state.ts';
import { ownNetwork, receive, send, type ServerMessage, connectTo, socketNumbers, withSocketPath } from './socket.ts';
import { spawnServer } from './spawn-server.ts';
import { EMBEDDED_NAMESPACE, statePaths } from './state-files.ts';
import type { TemporalCli } from './temporal-process.ts';

const POLL_MS = 25;
/** A server reports its state immediately, and fails if Temporal is not ready after 30 s. */
const SILENCE_MS = 60_000;
const SPAWNS = 5;
/** SQLite accepts 512 bytes, which include `/temporal.db-journal`. */
const MAX_PATH_BYTES = 492;
/** A server process listens before it starts Temporal. */
const LISTEN_MS = 30_000;
const RETRY_MS = 30_000;
const RELEASE_TIMEOUT_MS = 10_000;

export interface EmbeddedTemporalOptions {
  /** Contains the database, the log and the socket of the server; created if it is missing. */
  readonly stateDir: string;
  /** Finds the Temporal CLI; called only if a server must be started. */
  readonly cli: () => Promise<TemporalCli>;
  /** Finds the Temporal CLI of one version, for a database that another version created. */
  readonly cliOfVersion?: (version: string) => Promise<TemporalCli | undefined>;
  /** Prints lines for the user, for example about restarts. @defaultValue prints nothing */
  readonly log?: (line: string) => void;
  /** Called while the server starts, for example to load code. @defaultValue does nothing */
  readonly onWait?: () => void;
  /** Time in milliseconds that the server keeps running if this is its last use. @defaultValue 5,000 */
  readonly lingerMs?: number;
  /** Called if the server is now at another address. The connections of this process do not work again. */
  readonly onLost?: (error: EmbeddedTemporalError) => void;
  /** Time in milliseconds between the attempts to start a server again that failed during its use. @defaultValue 30,000 */
  readonly retryMs?: number;
}

/**
 * Connects to the server process of a state directory, or starts it. Commands that run at the same time share one server,
 * and an exited server is restarted at the same address.
 *
 * @throws ConfigError if the directory cannot be used
 * @throws EmbeddedTemporalError if Temporal does not start
 */
export async function acquireEmbeddedTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const stateDir = await openPrivateState(options.stateDir);
  if (Buffer.byteLength(stateDir) > MAX_PATH_BYTES) {
    throw new ConfigError(
      `the path of the state directory ${stateDir} has more than ${MAX_PATH_BYTES} bytes, which SQLite cannot open. ` +
        'Set LONGHAUL_STATE_DIR to a shorter path.',
    );
  }
  // SQLite uses the path in a URI.
  if (/[%?#]/.test(stateDir)) {
    throw new ConfigError(
      `the state directory ${stateDir} has one of % ? # in its path, which the Temporal server cannot open. ` +
        'Set LONGHAUL_STATE_DIR to another directory.',
    );
  }
  // The server process can report only a system error.
  await withSocketPath(stateDir, 0, async () => {});
  const temporal = new EmbeddedTemporal(stateDir, options);
  await temporal.join();
  return temporal;
}

type Ready = Required<Pick<ServerMessage, 'address' | 'uiUrl' | 'pid'>>;

class StartError extends EmbeddedTemporalError {
  /** Version of the Temporal CLI that created the database, if the failure is that another version cannot read it. */
  readonly createdBy: string | undefined;

  constructor(message: string, createdBy: string | undefined) {
    super(message);
    this.createdBy = createdBy;
  }
}

/**
 * A Temporal server that runs while any command uses it, and a few seconds longer: a connection to the server process.
 * Reconnects if that process is killed.
 */
export class EmbeddedTemporal {
  readonly namespace = EMBEDDED_NAMESPACE;
  readonly #stateDir: string;
  readonly #options: EmbeddedTemporalOptions;
  readonly #log: (line: string) => void;
  #server: Ready | undefined;
  #socket: Socket | undefined;
  #isReleased = false;
  /** Temporal CLI to use instead of the usual one. */
  #cli: TemporalCli | undefined;

  constructor(stateDir: string, options: EmbeddedTemporalOptions) {
    this.#stateDir = stateDir;
    this.#options = options;
    this.#log = options.log ?? (() => {});
  }

  /** `127.0.0.1:PORT`, for gRPC. Stays the same if the server exits and is restarted. */
  get address(): string {
    return this.#server?.address ?? '';
  }

  get uiUrl(): string {
    return this.#server?.uiUrl ?? '';
  }

  /** Process ID of Temporal, which changes at a restart. */
  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  async join(): Promise<void> {
    try {
      while (!this.#isReleased) {
        const socket = await this.#connect();
        if (this.#isReleased) return void socket.destroy();
        this.#socket = socket;
        send(socket, { pid: process.pid, lingerMs: this.#options.lingerMs ?? 5_000 });
        this.#options.onWait?.();
        const isReady = await this.#follow(socket).catch((error: unknown) => this.#withEarlierCli(error));
        if (isReady) return;
        // The server was killed, or has just stopped.
        await delay(POLL_MS);
      }
    } catch (error) {
      // A server that has failed exits, and then no longer uses the directory.
      await this.#leave();
      throw stateDirectoryError(this.#stateDir, error);
    }
  }

  /** With `lingerMs` 0 and no other use, the server has stopped when this resolves. Never throws. */
  async release(): Promise<void> {
    this.#isReleased = true;
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const socket = this.#socket;
    if (!socket || socket.destroyed) return;
    socket.ref().end();
    await Promise.race([once(socket, 'close'), delay(RELEASE_TIMEOUT_MS, undefined, { ref: false })]).catch(() => {});
    socket.destroy();
  }

  /** Connects to the server with the lowest number, or starts one. */
  async #connect(): Promise<Socket> {
    let child: ChildProcess | undefined;
    let exited: Promise<unknown> | undefined;
    let cli: TemporalCli | undefined;
    let deadline = 0;
    for (let spawns = 0; ;) {
      for (const number of await socketNumbers(this.#stateDir)) {
        const socket = await connectTo(this.#stateDir, number);
        if (socket) return socket;
      }
      // A server exits if another one is faster.
      if (!child || child.exitCode !== null || child.signalCode !== null) {
        const errno = child?.exitCode ?? 0;
        // The server process exits with the number of a system error.
        if (errno > 1)
          throw Object.assign(new Error('the server process failed'), { code: getSystemErrorName(-errno) });
        if (spawns === SPAWNS) throw this.#error('the server process exits immediately', child?.exitCode);
        cli ??= this.#cli ?? (await this.#options.cli());
        child = await spawnServer(this.#stateDir, cli);
        exited = once(child, 'exit');
        deadline = performance.now() + LISTEN_MS;
        this.#options.onWait?.();
        spawns += 1;
      } else if (performance.now() > deadline) {
        child.kill('SIGKILL');
        throw this.#error(`its server process did not respond within ${LISTEN_MS / 1000} s`);
      }
      await Promise.race([delay(POLL_MS), exited]);
    }
  }

  /** Resolves with true when the server is ready, and with false if the connection closes before. */
  async #follow(socket: Socket): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let isReady = false;
      let failure: StartError | undefined;
      socket.setTimeout(SILENCE_MS, () => {
        reject(this.#error(`no response within ${SILENCE_MS / 1000} s`));
        // This process would wait for the response to its end, too.
        socket.destroy();
      });
      receive<ServerMessage>(socket, (message) => {
        // `release` waits for the end of the connection, and only the connection keeps this process running.
        if (this.#isReleased) return;
        if (message.note !== undefined) this.#log(message.note);
        if (message.state === 'restarting') {
          if (this.#server) this.#log(`the Temporal server (process ${this.pid}) exited. Restarting it.`);
        } else if (message.state === 'failed') {
          failure = new StartError(message.reason ?? 'the Temporal server failed', message.createdBy);
          reject(failure);
        } else if (message.address !== undefined) {
          if (message.network !== undefined && message.network !== ownNetwork()) {
            return reject(this.#inContainer());
          }
          isReady = true;
          // A command that has completed does not wait for the server.
          socket.setTimeout(0).unref();
          this.#ready({ address: message.address, uiUrl: message.uiUrl ?? '', pid: message.pid ?? 0 });
          resolve(true);
        }
      });
      socket.once('close', () => {
        resolve(false);
        if (isReady && !this.#isReleased) void this.#rejoin(failure);
      });
    });
  }

  #ready(server: Ready): void {
    const before = this.#server;
    this.#server = server;
    if (!before) return;
    if (before.address !== server.address) {
      const change = `the Temporal server is now at ${server.address}, but this process uses ${before.address}`;
      return this.#options.onLost?.(new EmbeddedTemporalError(`${change}. Run the command again.`));
    }
    this.#log(`restarted the Temporal server at ${server.address} (process ${server.pid})`);
  }

  /** Joins again until it succeeds, because the cause of a failure can end, such as a full disk. */
  async #rejoin(failure?: Error): Promise<void> {
    if (!failure) this.#log('the server process of Temporal exited. Restarting it.');
    const retryMs = this.#options.retryMs ?? RETRY_MS;
    let shown: string | undefined;
    for (let problem = failure; ;) {
      if (problem) {
        if (problem.message !== shown)
          this.#log(`${problem.message.replace(/\.?$/, '.')} Trying again every ${retryMs / 1000} s.`);
        shown = problem.message;
        await delay(retryMs, undefined, { ref: false });
      }
      problem = await this.join().then(
        () => undefined,
        (error: Error) => error,
      );
      if (!problem || this.#isReleased) return;
    }
  }

  /** Uses the version that created the database, if the failure is that another version cannot read it. */
  async #withEarlierCli(error: unknown): Promise<false> {
    const version = error instanceof StartError && !this.#cli ? error.createdBy : undefined;
    if (version !== undefined) this.#cli = await this.#options.cliOfVersion?.(version);
    if (!this.#cli) throw error;
    this.#log(`the database requires Temporal CLI ${version}, which created it. Using ${this.#cli.path}.`);
    return false;
  }

  #inContainer(): EmbeddedTemporalError {
    return new EmbeddedTemporalError(
      `the Temporal server of ${this.#stateDir} runs in another container, whose 127.0.0.1 this process cannot reach. ` +
        'Set TEMPORAL_ADDRESS to an address of that server, or LONGHAUL_STATE_DIR to another directory.',
    );
  }

  #error(problem: string, code?: number | null): EmbeddedTemporalError {
    const { log } = statePaths(this.#stateDir);
    const status = code === undefined || code === null ? '' : ` (exit status ${code})`;
    return new EmbeddedTemporalError(
      `the Temporal server did not start: ${problem}${status}. Its log is ${log}. Stop its processes, then try again.`,
    );
  }
}
