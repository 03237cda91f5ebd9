import { Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { EMBEDDED_NAMESPACE, withoutProxy } from './state-files.ts';

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

/** The server cannot read a table of its database, which another version of the Temporal CLI created. */
export class DatabaseSchemaError extends Error {}

/** A server starts on the database of an older version, and then fails to list workflows and schedules. */
async function assertReadable({ workflowService }: Connection): Promise<void> {
  try {
    const namespace = EMBEDDED_NAMESPACE;
    await workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
    await workflowService.listSchedules({ namespace, maximumPageSize: 1 });
  } catch (error) {
    const cause = /no such (?:table|column)[^()]*\w/.exec((error as Error).message)?.[0];
    if (cause !== undefined) throw new DatabaseSchemaError(cause, { cause: error });
    throw error;
  }
}

/**
 * Checks that the database can be read, that closed workflows are kept for long enough and that the search attributes
 * are registered.
 *
 * @param deadline milliseconds since the epoch
 * @throws DatabaseSchemaError if another version of the Temporal CLI created the database
 * @throws Error if the server does not respond in time, or rejects a request
 */
export async function prepareNamespace(
  address: string,
  { retentionDays, searchAttributes }: NamespaceNeeds,
  deadline: number,
): Promise<void> {
  // A client goes on trying for all of its time, even when the server has died meanwhile; so the time is short.
  const connectTimeout = Math.max(1, Math.min(3_000, deadline - Date.now()));
  const connection = await Connection.connect({
    address,
    connectTimeout,
    channelArgs: withoutProxy,
    // The caller repeats the whole. By default, each call is repeated for up to 10 s.
    interceptors: [],
  });
  try {
    await connection.withDeadline(Math.min(deadline, Date.now() + 10_000), async () => {
      await assertReadable(connection);
      await ensureRetention(connection, retentionDays);
      await ensureSearchAttributes(connection, searchAttributes);
    });
  } finally {
    await connection.close();
  }
}
