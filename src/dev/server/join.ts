import { setTimeout as delay } from 'node:timers/promises';
import { registeredAttributes } from '../../core/show/attribute-registry.ts';
import { ConfigError } from '../../errors.ts';
import { adoptServer, endServer, RestartLimitError, startServer, type ServerContext } from './ensure-server.ts';
import { withFileLock } from './file-lock.ts';
import { openPrivateState } from './private-state.ts';
import { isProbablyAlive } from './process-identity.ts';
import { addLease, removeLease, sweepLeases } from './server-leases.ts';
import { onChildExit } from './temporal-process.ts';
import { watchDisk } from './watch-disk.ts';
import { stateDirectoryError } from './state-directory-error.ts';
import { EMBEDDED_NAMESPACE, statePaths, type ServerRecord } from './state-files.ts';

export interface EmbeddedTemporalOptions {
  /** Holds the database, the server's log and the records by which commands share it; made when missing. */
  readonly stateDir: string;
  /** Finds the Temporal CLI; called only when a server must be started. */
  readonly cli: () => Promise<{ readonly path: string }>;
  /** Takes a line for people about restarts and the like. @defaultValue nothing is said */
  readonly log?: (line: string) => void;
  /** Search attributes to register, name to type (`Keyword`, `Int`, …). @defaultValue Longhaul's own */
  readonly searchAttributes?: Readonly<Record<string, string>>;
  /** Days that closed workflows are kept, at least. @defaultValue 90 */
  readonly retentionDays?: number;
  /** Called when the server's process runs and is waited for: the time to load code. @defaultValue nothing is done */
  readonly onWait?: () => void;
  /** How long a server may take until it answers. @defaultValue 30,000 */
  readonly readyTimeoutMs?: number;
}

/** A Temporal server that runs for as long as any command uses it. */
export interface EmbeddedTemporal {
  /** `127.0.0.1:PORT`, for gRPC. Stays the same when the server dies and is restarted. */
  readonly address: string;
  /** Where a browser finds Temporal UI. */
  readonly uiUrl: string;
  readonly namespace: string;
  /** Process id of the server; another one after a restart. */
  readonly pid: number;
  /** False when the server ran already. */
  readonly started: boolean;
  /** Ends this use, and the server with the last use. May be called again; never throws. */
  release(): Promise<void>;
}

const ourAttributes = Object.fromEntries(registeredAttributes.map(({ name, type }) => [name, type]));

const WATCH_INTERVAL_MS = 500;
const RECOVERY_ATTEMPTS = 5;

interface Use {
  readonly server: ServerRecord;
  readonly started: boolean;
  readonly lease: string;
}

/** SQLite takes the path as part of a URI, in which these characters mean something else. */
function checkDirectory(stateDir: string): void {
  if (/[%?#]/.test(stateDir)) {
    throw new ConfigError(
      `The state directory ${stateDir} has one of % ? # in its path, which the Temporal server can't open. ` +
        'Set LONGHAUL_STATE_DIR to another directory.',
    );
  }
}

async function openServer(
  context: ServerContext,
  cli: EmbeddedTemporalOptions['cli'],
  existingLease?: string,
): Promise<Use> {
  const { lock, leases } = statePaths(context.stateDir);
  let cliPath: string | undefined;
  for (;;) {
    const use = await withFileLock(lock, async () => {
      const adopted = await adoptServer(context);
      if (adopted === null && cliPath === undefined) return null;
      const server = adopted ?? (await startServer(context, cliPath ?? ''));
      try {
        return { server, started: adopted === null, lease: existingLease ?? (await addLease(leases)) };
      } catch (error) {
        // Without a lease the server would outlive every command.
        if (adopted === null) await endServer(context.stateDir);
        throw error;
      }
    });
    if (use !== null) return use;
    // Outside the lock: it may have to be downloaded first, and others need not wait for that.
    cliPath = (await cli()).path;
  }
}

/** Sees that the server lives, and restarts it when it doesn't. Returns how to end that. */
function watchServer(
  context: ServerContext,
  cli: EmbeddedTemporalOptions['cli'],
  use: Use,
  onRestart: (server: ServerRecord) => void,
): () => Promise<void> {
  const { log } = context;
  let server = use.server;
  let stopped = false;
  let recovery: Promise<void> | undefined;

  const recover = async () => {
    const died = server.pid;
    log(`the Temporal server (process ${died}) died; restarting it`);
    for (let attempt = 1; attempt <= RECOVERY_ATTEMPTS && !stopped; attempt += 1) {
      try {
        const { server: next } = await openServer(context, cli, use.lease);
        if (next.address !== server.address) {
          log(`the Temporal server is now at ${next.address}; this process still looks for it at ${server.address}`);
        }
        server = next;
        onRestart(next);
        log(`the Temporal server runs again at ${next.address} (process ${next.pid})`);
        return;
      } catch (error) {
        const problem = stateDirectoryError(context.stateDir, error);
        log(problem instanceof Error ? problem.message : String(problem));
        if (error instanceof RestartLimitError) break;
        await delay(500 * attempt);
      }
    }
    clearInterval(timer);
    if (!stopped) log('gave up on the Temporal server; end this command and run it again');
  };
  const check = () => {
    if (stopped || recovery !== undefined || isProbablyAlive(server)) return;
    recovery = recover().finally(() => {
      recovery = undefined;
      stopListening = onChildExit(server.pid, check);
    });
  };
  const timer = setInterval(check, WATCH_INTERVAL_MS).unref();
  let stopListening = onChildExit(server.pid, check);

  return async () => {
    stopped = true;
    clearInterval(timer);
    stopListening();
    await recovery;
  };
}

/**
 * Joins the Temporal server of a state directory, or starts it: commands that run at the same time share one, a server
 * whose commands were killed is taken over, and a server that dies is restarted at the same address.
 *
 * @throws ConfigError when the directory can't be used
 * @throws EmbeddedTemporalError when the server doesn't come up, or another process keeps the lock
 */
export async function acquireEmbeddedTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const {
    cli,
    log = () => undefined,
    searchAttributes = ourAttributes,
    retentionDays = 90,
    onWait = () => undefined,
    readyTimeoutMs = 30_000,
  } = options;
  const stateDir = await openPrivateState(options.stateDir);
  checkDirectory(stateDir);
  const context: ServerContext = { stateDir, log, onWait, searchAttributes, retentionDays, readyTimeoutMs };
  const { lock, leases } = statePaths(stateDir);

  const use = await openServer(context, cli).catch((error: unknown) => {
    throw stateDirectoryError(stateDir, error);
  });
  let { server } = use;
  const stopWatching = watchServer(context, cli, use, (next) => {
    server = next;
  });

  const stopWatchingDisk = watchDisk(stateDir, log);

  const releaseOnce = async () => {
    stopWatchingDisk();
    await stopWatching();
    try {
      await withFileLock(lock, async () => {
        await removeLease(use.lease);
        if ((await sweepLeases(leases)) === 0) await endServer(stateDir);
      });
    } catch (error) {
      // The next command takes the server over.
      await removeLease(use.lease).catch(() => undefined);
      const problem = stateDirectoryError(stateDir, error);
      log(`the Temporal server was left running: ${problem instanceof Error ? problem.message : String(problem)}`);
    }
  };
  let released: Promise<void> | undefined;

  return {
    get address() {
      return server.address;
    },
    get uiUrl() {
      return server.uiUrl;
    },
    namespace: EMBEDDED_NAMESPACE,
    get pid() {
      return server.pid;
    },
    started: use.started,
    release: async () => (released ??= releaseOnce()),
  };
}
