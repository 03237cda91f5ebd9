import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile, writeJsonFile } from './json-file.ts';

const portsSchema = z.object({ port: z.number().int().min(1), uiPort: z.number().int().min(1) });

/** The ports of gRPC and of Temporal UI. */
export type ServerPorts = z.infer<typeof portsSchema>;

const recordSchema = z.object({
  pid: z.number().int(),
  /** Tells the server from a later process under the same pid. */
  startTime: z.string(),
  pidNamespace: z.string().optional(),
  ...portsSchema.shape,
  /** For people who read the file. */
  address: z.string(),
  uiUrl: z.string(),
  /** Unix milliseconds of the restarts after the server had died under its users. */
  restartsAtMs: z.array(z.number()),
});

/** What `temporal.json` in the state directory says about the server that runs. */
export type ServerRecord = z.infer<typeof recordSchema>;

const HOST = '127.0.0.1';

/** The namespace that every dev server has. */
export const EMBEDDED_NAMESPACE = 'default';

/** For each gRPC channel to the embedded server: a proxy of the environment could not reach 127.0.0.1 of this machine. */
export const withoutProxy = { 'grpc.enable_http_proxy': 0 } as const;

export function serverAddress({ port }: ServerPorts): string {
  return `${HOST}:${port}`;
}

function serverUiUrl({ uiPort }: ServerPorts): string {
  return `http://${HOST}:${uiPort}`;
}

/** Where everything lies in the state directory. */
export function statePaths(stateDir: string) {
  return {
    database: join(stateDir, 'temporal.db'),
    /** There while the database is being made, until its server answered for the first time. */
    unfinished: join(stateDir, 'temporal.db.unfinished'),
    log: join(stateDir, 'temporal.log'),
    record: join(stateDir, 'temporal.json'),
    /** Outlives the server, so that a bookmark of Temporal UI stays valid. */
    ports: join(stateDir, 'temporal-ports.json'),
    leases: join(stateDir, 'leases'),
    lock: join(stateDir, 'lock'),
  } as const;
}

export async function readServerRecord(stateDir: string): Promise<ServerRecord | null> {
  return readJsonFile(statePaths(stateDir).record, recordSchema);
}

export async function writeServerRecord(
  stateDir: string,
  { pid, startTime, pidNamespace, port, uiPort, restartsAtMs }: Omit<ServerRecord, 'address' | 'uiUrl'>,
): Promise<ServerRecord> {
  const ports = { port, uiPort };
  const record = {
    pid,
    startTime,
    pidNamespace,
    ...ports,
    address: serverAddress(ports),
    uiUrl: serverUiUrl(ports),
    restartsAtMs,
  };
  await writeJsonFile(statePaths(stateDir).record, record);
  await writeJsonFile(statePaths(stateDir).ports, ports);
  return record;
}

export async function removeServerRecord(stateDir: string): Promise<void> {
  await rm(statePaths(stateDir).record, { force: true });
}

export async function lastPorts(stateDir: string): Promise<ServerPorts | null> {
  return readJsonFile(statePaths(stateDir).ports, portsSchema);
}
