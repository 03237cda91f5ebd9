import { open, statfs } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { databaseCause } from '../../temporal/grpc-cause.ts';
import { EmbeddedTemporalError } from './embedded-temporal-error.ts';
import { findServerProcess } from './find-server-process.ts';
import { arePortsFree, pickFreePorts } from './free-ports.ts';
import { isAlive, isForeign, isProbablyAlive, sharesNetwork } from './process-identity.ts';
import { isOwnProcess, portOwner } from './process-owner.ts';
import { removeForeignLeases, sweepLeases } from './server-leases.ts';
import { logTail, spawnServer, stopServer } from './temporal-process.ts';
import type { NamespaceNeeds } from './namespace.ts';
import { waitUntilReady } from './server-readiness.ts';
import {
  lastPorts,
  readServerRecord,
  removeServerRecord,
  serverAddress,
  statePaths,
  writeServerRecord,
  type ServerPorts,
  type ServerRecord,
} from './state-files.ts';
import { beginDatabase, finishDatabase } from './unfinished-database.ts';

/** How often a server may die under its users before they are left without. */
const MAX_RESTARTS_A_MINUTE = 5;
const START_ATTEMPTS = 5;

export interface ServerContext extends NamespaceNeeds {
  /** Absolute, and it exists. */
  readonly stateDir: string;
  readonly readyTimeoutMs: number;
  readonly onWait: () => void;
  readonly log: (line: string) => void;
}

/** The server keeps dying; its users stop restarting it. */
export class RestartLimitError extends EmbeddedTemporalError {}

async function readiness(context: ServerContext, server: ServerRecord): Promise<string | null> {
  context.onWait();
  const problem = await waitUntilReady({
    address: serverAddress(server),
    timeoutMs: context.readyTimeoutMs,
    isAlive: () => isProbablyAlive(server),
    retentionDays: context.retentionDays,
    searchAttributes: context.searchAttributes,
  });
  const owner = portOwner(server.port);
  if (owner !== undefined && owner !== process.getuid?.()) return `the user with the ID ${owner} uses its port`;
  if (problem === null) await finishDatabase(context.stateDir);
  return problem;
}

async function recordedOrStrayServer(stateDir: string): Promise<ServerRecord | null> {
  const record = await readServerRecord(stateDir);
  if (record !== null && isAlive(record)) {
    if (isOwnProcess(record.pid)) return record;
    throw new EmbeddedTemporalError(
      `the Temporal server of ${stateDir} (process ${record.pid}) runs as another user. ` +
        'Stop that process, or set LONGHAUL_STATE_DIR to another directory.',
    );
  }
  const stray = await findServerProcess(statePaths(stateDir).database);
  if (stray === null) return null;
  if (!sharesNetwork(stray.pid)) throw databaseInUse(stateDir);
  return writeServerRecord(stateDir, { ...stray, restartsAtMs: record?.restartsAtMs ?? [] });
}

/** The server of this state directory, if it runs and answers. One that doesn't answer is ended. Call it under the lock. */
export async function adoptServer(context: ServerContext): Promise<ServerRecord | null> {
  const server = await recordedOrStrayServer(context.stateDir);
  if (server === null) return null;
  const problem = await readiness(context, server);
  if (problem === null) return server;
  context.log(`the Temporal server at ${server.address} (process ${server.pid}) is of no use: ${problem}; ending it`);
  await stopServer(server);
  return null;
}

/** Ends the server of this state directory, if one runs. Call it under the lock. */
export async function endServer(stateDir: string): Promise<void> {
  const server = await recordedOrStrayServer(stateDir);
  if (server !== null) {
    await stopServer(server);
    await syncDatabase(statePaths(stateDir).database);
  }
  await removeServerRecord(stateDir);
}

/** What the server wrote last is in its log, which SQLite itself sees to only when it is closed in order. */
async function syncDatabase(database: string): Promise<void> {
  const log = await open(`${database}-wal`, 'r+').catch(() => undefined);
  await log?.sync().finally(() => log.close());
}

function recentRestarts(record: ServerRecord | null): number[] {
  return (record?.restartsAtMs ?? []).filter((atMs) => Date.now() - atMs < 60_000);
}

/** Less than this, and a new database does not fit. */
const MIN_FREE_BYTES = 8 * 1024 ** 2;

function databaseInUse(stateDir: string): EmbeddedTemporalError {
  return new EmbeddedTemporalError(
    `another Temporal server uses the database in ${stateDir}, such as one in another container. ` +
      'Set TEMPORAL_ADDRESS to an address of that server, or LONGHAUL_STATE_DIR to another directory.',
  );
}

/** @param tail the last lines of its log. A full disk leaves it empty. */
async function didNotStart(stateDir: string, problem: string, tail: string): Promise<EmbeddedTemporalError> {
  const { log } = statePaths(stateDir);
  const isFull = await statfs(stateDir).then(
    ({ bavail, bsize }) => bavail * bsize < MIN_FREE_BYTES,
    () => false,
  );
  if (/^no such (table|column)/.test(problem)) {
    return new EmbeddedTemporalError(
      `another version of the Temporal CLI created the database in ${stateDir}, and this version cannot read it (${problem}). ` +
        'Set LONGHAUL_TEMPORAL_CLI to the path of that version, or LONGHAUL_STATE_DIR to another directory.',
    );
  }
  if (tail.includes('database is locked')) return databaseInUse(stateDir);
  const cause = databaseCause(isFull ? 'no space left on device' : tail);
  if (cause) {
    return new EmbeddedTemporalError(
      `the Temporal server did not start: ${cause.problem} (${stateDir}). ${cause.fix}.`,
    );
  }
  return new EmbeddedTemporalError(
    `The Temporal server did not start: ${problem}. ` +
      (tail === '' ? 'It wrote nothing to its log.' : `Its last lines, from ${log}:\n${lastLines(tail)}`),
  );
}

const SHOWN_LINES = 8;

/** Without the stack trace of a server that panicked, which hides the cause. */
function lastLines(tail: string): string {
  const lines = tail.split('\n');
  const trace = lines.findIndex((line) => /^goroutine \d+ \[/.test(line));
  return lines
    .slice(0, trace < 0 ? undefined : trace)
    .slice(-SHOWN_LINES)
    .join('\n')
    .trimEnd();
}

async function startOnce(context: ServerContext, cliPath: string, ports: ServerPorts, restartsAtMs: number[]) {
  const { stateDir } = context;
  await beginDatabase(stateDir);
  const { logOffsetBytes, ...identity } = await spawnServer(cliPath, stateDir, ports);
  const server = await writeServerRecord(stateDir, { ...identity, ...ports, restartsAtMs }).catch(
    async (error: unknown) => {
      await stopServer(identity);
      throw error;
    },
  );
  const problem = await readiness(context, server);
  if (problem === null) return { server };
  await stopServer(server);
  return { problem, tail: await logTail(statePaths(stateDir).log, logOffsetBytes) };
}

/**
 * Starts the server: on the ports of the one that died while others use it, else on those of last time, else on new ones.
 * Call it under the lock, after `adoptServer` said that none runs.
 * @throws RestartLimitError when it died too often lately
 * @throws EmbeddedTemporalError when it doesn't come up
 */
export async function startServer(context: ServerContext, cliPath: string): Promise<ServerRecord> {
  const { stateDir } = context;
  const before = await readServerRecord(stateDir);
  const isRestart = (await sweepLeases(statePaths(stateDir).leases)) > 0;
  const restartsAtMs = recentRestarts(before);
  if (isRestart) {
    if (restartsAtMs.length >= MAX_RESTARTS_A_MINUTE) {
      throw new RestartLimitError(
        `The Temporal server died ${restartsAtMs.length} times within a minute and is not started again; see ${statePaths(stateDir).log}`,
      );
    }
    restartsAtMs.push(Date.now());
  }

  let ports = await lastPorts(stateDir);
  for (let attempt = 1; ; attempt += 1) {
    if (ports === null || (!isRestart && !(await arePortsFree(ports)))) ports = await pickFreePorts();
    const { server, problem, tail } = await startOnce(context, cliPath, ports, restartsAtMs);
    if (server !== undefined) {
      await removeForeignLeases(statePaths(stateDir).leases);
      return server;
    }
    if (attempt < START_ATTEMPTS && tail.includes('address already in use')) {
      // Its users can only find it again where it was; whoever took the port may leave again.
      if (isRestart) await delay(200 * attempt);
      else ports = null;
      continue;
    }
    // A record without a server would only say what is not; but it counts the restarts while there are users.
    if (before !== null && isForeign(before)) await writeServerRecord(stateDir, before);
    else if (!isRestart) await removeServerRecord(stateDir);
    throw await didNotStart(stateDir, problem, tail);
  }
}
