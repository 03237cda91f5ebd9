import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../../core/objects.ts';
import { parseJson } from '../../core/text/parse.ts';

/** The namespace that every development server has. */
export const EMBEDDED_NAMESPACE = 'default';

/** For each gRPC channel to the embedded server: a proxy of the environment cannot reach 127.0.0.1 of this machine. */
export const withoutProxy = { 'grpc.enable_http_proxy': 0 } as const;

/** The ports of gRPC and of Temporal UI. */
export interface ServerPorts {
  readonly port: number;
  readonly uiPort: number;
}

/** Content of `server.json`: the current or last server. The next server uses the same ports, so that bookmarks of Temporal UI remain valid. */
export interface ServerRecord extends ServerPorts {
  readonly address: string;
  readonly uiUrl: string;
  /** Process ID of Temporal. */
  readonly pid: number;
  /** Process ID of the server process, which is the parent of Temporal. */
  readonly serverPid: number;
  /** Version of the Temporal CLI that created the database, or of the first version that was recorded. */
  readonly temporalCli: string;
}

/** Files and directories in the state directory. */
export function statePaths(stateDir: string) {
  return {
    database: join(stateDir, 'temporal.db'),
    /** Exists while Temporal creates the database, until it responds for the first time. */
    unfinished: join(stateDir, 'temporal.db.unfinished'),
    log: join(stateDir, 'temporal.log'),
    record: join(stateDir, 'server.json'),
    /** Files of an earlier version of Longhaul. */
    earlier: ['temporal.json', 'temporal-ports.json', 'leases', 'lock'].map((name) => join(stateDir, name)),
    earlierPorts: join(stateDir, 'temporal-ports.json'),
    earlierLeases: join(stateDir, 'leases'),
  } as const;
}

/** @returns undefined if the file is missing or incomplete */
export function readServerRecord(stateDir: string): Partial<ServerRecord> | undefined {
  const { record, earlierPorts } = statePaths(stateDir);
  return readObject(record) ?? readObject(earlierPorts);
}

export function previousPorts(stateDir: string): ServerPorts | undefined {
  const { port, uiPort } = readServerRecord(stateDir) ?? {};
  return isPort(port) && isPort(uiPort) ? { port, uiPort } : undefined;
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536;
}

function readObject(path: string): Partial<ServerRecord> | undefined {
  const value = parseJson(attempt(() => readFileSync(path, 'utf8')) ?? '');
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** Replaces the record atomically: a reader gets the old content or the new content. */
export function writeServerRecord(stateDir: string, record: ServerRecord): void {
  const { record: path } = statePaths(stateDir);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, path);
  } finally {
    // A full disk leaves an empty file.
    rmSync(temporary, { force: true });
  }
}

/**
 * Marks a database before its creation. Temporal creates its tables one after the other, and never adds missing tables
 * later. If a kill interrupted the creation, the next start deletes the database, which contains no data yet.
 */
export function beginDatabase(stateDir: string): void {
  const { database, unfinished } = statePaths(stateDir);
  if (existsSync(unfinished))
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true });
  if (!existsSync(database)) writeFileSync(unfinished, '', { mode: 0o600 });
}

/** Keeps the database from now on, and removes the files of an earlier version of Longhaul. */
export function finishDatabase(stateDir: string): void {
  const { unfinished, earlier } = statePaths(stateDir);
  for (const path of [unfinished, ...earlier]) rmSync(path, { recursive: true, force: true });
}
