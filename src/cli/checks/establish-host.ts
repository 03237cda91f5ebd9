import { existsSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import { hostNameProblem } from '../../core/task-queue.ts';
import type { Config } from '../../config/config.ts';
import { statePaths, withoutProxy } from '../../dev/server/state-files.ts';
import { stateDirectoryError } from '../../dev/server/errors.ts';
import { readHostIdentity, storeHostIdentity, thisHost, type HostIdentity } from '../../config/host-identity.ts';
import type { CliContext } from '../context.ts';
import { embed } from '../embed-server.ts';

/** Number of uploads whose requests are read, for each of the two lists. */
const MAX_READ = 200;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Stores the name of this machine in a state directory that an earlier version wrote, if none is stored yet. Uploads,
 * syncs and schedules in it can have the name that the machine had before. The latest of these names is adopted, and
 * workers poll the queues of the others.
 */
export async function establishHost(context: CliContext): Promise<void> {
  const { config } = context;
  if (config.temporal || config.hostIsGiven) return;
  const { stateDir } = config;
  if (readHostIdentity(stateDir) || !existsSync(statePaths(stateDir).database)) return;
  const closers: (() => Promise<void>)[] = [];
  try {
    const { address, namespace } = await embed(context, () => {}, closers);
    const { Client: TemporalClient, Connection } = await import('@temporalio/client');
    const connection = await Connection.connect({
      address,
      channelArgs: withoutProxy,
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    closers.push(() => connection.close());
    const names = await namesIn(new TemporalClient({ connection, namespace }));
    const host = names.find((name) => hostNameProblem(name) === undefined) ?? config.host;
    store(stateDir, { host, earlier: names.filter((name) => name !== host) });
    if (host !== thisHost()) {
      context.note(`longhaul: the host name of this machine changed. Its uploads still use the name ${host}`);
    }
  } finally {
    for (const close of closers.toReversed()) await close().catch(() => {});
  }
}

/** Stores the name of this machine if none is stored. */
export function keepHost({ stateDir, host }: Config): void {
  if (!readHostIdentity(stateDir)) store(stateDir, { host, earlier: [] });
}

function store(stateDir: string, identity: HostIdentity): void {
  try {
    storeHostIdentity(stateDir, identity);
  } catch (error) {
    throw stateDirectoryError(stateDir, error);
  }
}

/** Returns the hosts in the uploads, syncs and schedules of a server: those of running jobs first, newest first. */
async function namesIn(client: Client): Promise<string[]> {
  const running = await namesOfUploads(client, true);
  const scheduled = await namesOfSchedules(client);
  // The host is part of the ID under which a sync finds the memory of its last run.
  const all = [...running, ...scheduled];
  return [...new Set(all.length > 0 ? all : await namesOfUploads(client, false))];
}

async function namesOfUploads(client: Client, running: boolean): Promise<string[]> {
  const { listUploads } = await import('../../client/lists/list-uploads.ts');
  const { startedRequest } = await import('../../client/prepare/started-request.ts');
  const names: string[] = [];
  let read = 0;
  for await (const { workflowId, parentId } of listUploads(client, { syncs: true, running })) {
    if (parentId !== undefined) continue;
    const request = await startedRequest(client, workflowId).catch(() => undefined);
    names.push(...nameIn(request));
    read += 1;
    if (read >= MAX_READ || (!running && names.length > 0)) break;
  }
  return names;
}

async function namesOfSchedules(client: Client): Promise<string[]> {
  const names: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) {
    const { action } = await client.schedule.getHandle(scheduleId).describe();
    if (action.type === 'startWorkflow') names.push(...nameIn(action.args?.[0]));
  }
  return names;
}

function nameIn(request: unknown): string[] {
  const { source, manifest } = (request ?? {}) as Readonly<Record<string, { readonly host?: unknown } | undefined>>;
  const host = source?.host ?? manifest?.host;
  return typeof host === 'string' && host !== '' ? [host] : [];
}
