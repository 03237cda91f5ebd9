import { connect as connectSocket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';

/** The namespace that every dev server has. */
export const EMBEDDED_NAMESPACE = 'default';

/** `temporal.api.enums.v1.IndexedValueType`, by the names that the Temporal CLI gives them. */
const SEARCH_ATTRIBUTE_TYPES: ReadonlyMap<string, number> = new Map([
  ['Text', 1],
  ['Keyword', 2],
  ['Int', 3],
  ['Double', 4],
  ['Bool', 5],
  ['Datetime', 6],
  ['KeywordList', 7],
]);

export interface NamespaceNeeds {
  readonly retentionDays: number;
  /** Name to type, such as `Keyword`. */
  readonly searchAttributes: Readonly<Record<string, string>>;
}

export interface ReadinessOptions extends NamespaceNeeds {
  readonly address: string;
  readonly timeoutMs: number;
  /** Asked before each try; there is no use in waiting for a dead process. */
  readonly isAlive: () => boolean;
}

async function acceptsConnections(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connectSocket({ host: host ?? '', port: Number(port), timeout: 1_000 });
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

async function ensureRetention({ workflowService }: Connection, retentionDays: number): Promise<void> {
  const namespace = EMBEDDED_NAMESPACE;
  const wantedMs = retentionDays * 24 * 3600 * 1000;
  const { config } = await workflowService.describeNamespace({ namespace });
  if (tsToMs(config?.workflowExecutionRetentionTtl) >= wantedMs) return;
  await workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(wantedMs) },
  });
}

async function ensureSearchAttributes(
  { operatorService }: Connection,
  wanted: NamespaceNeeds['searchAttributes'],
): Promise<void> {
  if (Object.keys(wanted).length === 0) return;
  const namespace = EMBEDDED_NAMESPACE;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const searchAttributes: Record<string, number> = {};
  for (const [name, type] of Object.entries(wanted)) {
    const code = SEARCH_ATTRIBUTE_TYPES.get(type);
    if (code === undefined) throw new TypeError(`Unknown search attribute type ${type} of ${name}`);
    if (customAttributes[name] === undefined) searchAttributes[name] = code;
  }
  if (Object.keys(searchAttributes).length > 0) {
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
  }
}

async function prepare(
  { address, retentionDays, searchAttributes }: ReadinessOptions,
  deadline: number,
): Promise<void> {
  // A client goes on trying for all of its time, even when the server has died meanwhile; so the time is short.
  const connectTimeout = Math.max(1, Math.min(3_000, deadline - Date.now()));
  const connection = await Connection.connect({ address, connectTimeout });
  try {
    await connection.withDeadline(Math.min(deadline, Date.now() + 10_000), async () => {
      await ensureRetention(connection, retentionDays);
      await ensureSearchAttributes(connection, searchAttributes);
    });
  } finally {
    await connection.close();
  }
}

/**
 * Waits until the server answers over gRPC and its namespace keeps closed workflows for long enough and knows the search
 * attributes. Returns null then, or else the reason why it doesn't; never throws.
 */
export async function waitUntilReady(options: ReadinessOptions): Promise<string | null> {
  const deadline = Date.now() + options.timeoutMs;
  let reason = 'it did not open its port';
  while (Date.now() < deadline) {
    if (!options.isAlive()) return 'it ended';
    // A gRPC client that is refused waits a second before its next try; a plain socket need not.
    if (await acceptsConnections(options.address)) {
      try {
        await prepare(options, deadline);
        return null;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
    }
    await delay(25);
  }
  return `${reason} (waited ${options.timeoutMs / 1000} s)`;
}
