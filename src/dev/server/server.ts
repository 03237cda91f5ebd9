import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { attempt } from '../../core/objects.ts';
import { LonghaulError } from '../../errors.ts';
import { claimSocket, type Claim } from './claim.ts';
import { EmbeddedTemporalError, startError, stateDirectoryError } from './errors.ts';
import { findEarlierCommand, findTemporals, arePortsFree, pickFreePorts, watchDisk } from './system.ts';
import { ownNetwork, receive, send, type ClientMessage, type ServerMessage } from './socket.ts';
import {
  beginDatabase,
  finishDatabase,
  previousPorts,
  readServerRecord,
  statePaths,
  writeServerRecord,
  type ServerPorts,
} from './state-files.ts';
import { TemporalProcess, type TemporalCli } from './temporal-process.ts';

const MAX_RESTARTS_PER_MINUTE = 5;
const START_ATTEMPTS = 5;
const LINGER_MS = 5_000;
const PORT_TIMEOUT_MS = 1_000;

/**
 * Owns Temporal on the database of a state directory, for as long as a command is connected and a few seconds longer. Sends
 * its state to each connection.
 */
export class EmbeddedServer {
  readonly #stateDir: string;
  readonly #cli: TemporalCli;
  readonly #connections = new Set<Socket>();
  #claim: Claim | undefined;
  #temporal: TemporalProcess | undefined;
  #state: ServerMessage = { state: 'starting' };
  #diskNote: string | undefined;
  #lingerMs = LINGER_MS;
  #lingering: NodeJS.Timeout | undefined;
  #restartsAtMs: number[] = [];
  #isStopping = false;
  #createdBy: string | undefined;

  constructor(stateDir: string, cli: TemporalCli) {
    this.#stateDir = stateDir;
    this.#cli = cli;
  }

  /** The process exits when the server has stopped, or if another server runs. */
  async run(): Promise<void> {
    this.#claim = await claimSocket(this.#stateDir, (socket) => this.#accept(socket));
    // A command that has connected to this server in the meantime connects to the other one.
    if (!this.#claim) return this.#exit();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void this.#stop());
    // A command can connect as soon as the socket exists.
    if (this.#connections.size === 0) this.#linger();
    watchDisk(this.#stateDir, (line) => {
      this.#diskNote = line;
      if (line !== undefined) for (const socket of this.#connections) send(socket, { note: line });
    });
    try {
      await this.#start(false);
    } catch (error) {
      return this.#fail(error);
    }
    // Names that remain have no effect.
    await this.#claim.removeStale().catch(() => {});
  }

  async #start(isRestart: boolean): Promise<void> {
    const ports = await this.#startTemporal(isRestart);
    const temporal = this.#temporal;
    if (!ports || !temporal || this.#isStopping) return;
    const address = `127.0.0.1:${ports.port}`;
    const uiUrl = `http://127.0.0.1:${ports.uiPort}`;
    const pid = temporal.pid ?? 0;
    const temporalCli = readServerRecord(this.#stateDir)?.temporalCli ?? this.#cli.version;
    writeServerRecord(this.#stateDir, { ...ports, address, uiUrl, pid, serverPid: process.pid, temporalCli });
    finishDatabase(this.#stateDir);
    this.#announce({ state: 'ready', address, uiUrl, pid, network: ownNetwork() });
    void temporal.exited.then(() => this.#restart()).catch((error: unknown) => this.#fail(error));
  }

  async #restart(): Promise<void> {
    if (this.#isStopping) return;
    if (this.#claim?.isDetached()) {
      throw new EmbeddedTemporalError(
        `the state directory ${this.#stateDir} was moved, deleted or replaced while its Temporal server was running. ` +
          'Restore it.',
      );
    }
    this.#restartsAtMs = this.#restartsAtMs.filter((atMs) => performance.now() - atMs < 60_000);
    if (this.#restartsAtMs.length >= MAX_RESTARTS_PER_MINUTE) {
      const { log } = statePaths(this.#stateDir);
      throw new EmbeddedTemporalError(
        `the Temporal server exited ${this.#restartsAtMs.length + 1} times within a minute. Its log is ${log}.`,
      );
    }
    this.#restartsAtMs.push(performance.now());
    this.#announce({ state: 'restarting' });
    await this.#start(true);
  }

  /** @returns undefined if the server stops in the meantime */
  async #startTemporal(isRestart: boolean): Promise<ServerPorts | undefined> {
    const stateDir = this.#stateDir;
    let ports = previousPorts(stateDir);
    for (let tries = 1; ; tries += 1) {
      // Running commands connect to Temporal only on the same port.
      if (ports && !isRestart && !(await arePortsFree(ports))) {
        await this.#stopOrphans();
        if (!(await this.#portsBecomeFree(ports))) ports = undefined;
      }
      ports ??= await pickFreePorts();
      if (this.#isStopping) return undefined;
      beginDatabase(stateDir);
      this.#temporal = new TemporalProcess(this.#cli, stateDir, ports);
      let problem = await this.#temporal.problem();
      // A Temporal whose server process was killed can respond on the same port, or get the lock after this one.
      if (problem === undefined && this.#orphans().length > 0 && (await this.#stopOrphans()))
        problem = await this.#temporal.problem();
      if (this.#isStopping) return undefined;
      if (problem === undefined) return ports;
      await this.#temporal.stop();
      const tail = this.#temporal.logTail();
      const isLocked = tail.includes('database is locked');
      const isPortInUse = tail.includes('address already in use');
      // Temporal started, and cannot read its database.
      if (/^no such (table|column)/.test(problem)) this.#createdBy = readServerRecord(stateDir)?.temporalCli;
      if (tries === START_ATTEMPTS || !(isLocked || isPortInUse || this.#temporal.wasKilled)) {
        throw new EmbeddedTemporalError(await startError(stateDir, this.#cli.version, problem, tail));
      }
      // The process that used the port or the database can have exited in the meantime.
      if (!(await this.#stopOrphans())) await delay(100 * tries);
      if (isPortInUse && !isRestart) ports = undefined;
    }
  }

  /** The system removes the command line of an exiting process before its sockets. */
  async #portsBecomeFree(ports: ServerPorts): Promise<boolean> {
    const deadline = performance.now() + PORT_TIMEOUT_MS;
    while (!(await arePortsFree(ports))) {
      if (performance.now() > deadline) return false;
      await delay(25);
    }
    return true;
  }

  #orphans(): number[] {
    const own = this.#temporal?.pid;
    // The command of Temporal can be a script that runs the server as its child.
    return findTemporals(this.#stateDir).flatMap(({ pid, groupId }) => (groupId === own ? [] : pid));
  }

  /**
   * Stops each Temporal server whose server process was killed. It can have the lock of the database.
   *
   * @returns whether there was one
   * @throws EmbeddedTemporalError if it is in use by an earlier version of Longhaul
   */
  async #stopOrphans(): Promise<boolean> {
    // The other server is not killed: its clients would have to connect again.
    if (await this.#claim?.isLost()) {
      await this.#temporal?.stop();
      return this.#exit();
    }
    const found = this.#orphans();
    if (found.length === 0) return false;
    const command = findEarlierCommand(this.#stateDir);
    if (command !== undefined) {
      throw new EmbeddedTemporalError(
        `a command of an earlier version of Longhaul (process ${command}) uses the database in ${this.#stateDir}. ` +
          'Wait until it exits, or stop it, then try again.',
      );
    }
    // One can have just exited.
    for (const pid of found) attempt(() => process.kill(pid, 'SIGKILL'));
    while (this.#orphans().some((pid) => found.includes(pid))) await delay(10);
    return true;
  }

  #accept(socket: Socket): void {
    if (this.#isStopping) return void socket.destroy();
    clearTimeout(this.#lingering);
    this.#connections.add(socket);
    let lingerMs: number | undefined;
    receive<ClientMessage>(socket, (message) => {
      lingerMs = message.lingerMs;
    });
    const leave = () => {
      if (!this.#connections.delete(socket)) return;
      // A process that only checks whether this server listens sends no message.
      this.#lingerMs = lingerMs ?? this.#lingerMs;
      if (this.#connections.size === 0) this.#linger();
      // After this, the last client can rely on the end of all processes.
      if (!this.#isStopping) socket.end();
    };
    socket.on('error', leave).on('end', leave).on('close', leave);
    send(socket, this.#state);
    if (this.#diskNote !== undefined) send(socket, { note: this.#diskNote });
    if (this.#state.state === 'failed') socket.end();
  }

  #linger(): void {
    if (this.#lingerMs === 0) void this.#stop();
    else this.#lingering = setTimeout(() => void this.#stop(), this.#lingerMs);
  }

  #announce(state: ServerMessage): void {
    this.#state = state;
    for (const socket of this.#connections) send(socket, state);
  }

  /** Reports the failure to at least one client, and exits. */
  async #fail(error: unknown): Promise<void> {
    const cause = stateDirectoryError(this.#stateDir, error);
    const reason = cause instanceof LonghaulError ? cause.message : `the Temporal server failed: ${String(error)}`;
    const hasClients = this.#connections.size > 0;
    this.#announce({ state: 'failed', reason, createdBy: this.#createdBy });
    if (!hasClients) await delay(LINGER_MS);
    await this.#stop();
  }

  async #stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#claim?.release();
    await this.#temporal?.stop();
    this.#exit();
  }

  #exit(): never {
    this.#claim?.release();
    process.exit();
  }
}
