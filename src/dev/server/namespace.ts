import { registeredAttributes, type RegisteredAttribute } from '../../core/show/attribute-registry.ts';
import { encode, Grpc, decode, nested, type Message } from './grpc.ts';
import { EMBEDDED_NAMESPACE } from './state-files.ts';

const WORKFLOWS = 'temporal.api.workflowservice.v1.WorkflowService';
const OPERATOR = 'temporal.api.operatorservice.v1.OperatorService';

const CALL_TIMEOUT_MS = 10_000;
/** Closed workflows are kept for at least this time. */
const RETENTION_S = 90 * 24 * 3600;

/** Temporal cannot read a table of its database, which another version of the Temporal CLI created. */
export class DatabaseSchemaError extends Error {}

/** Requests and responses, with the numbers of their fields. */
export const messages = {
  namespace: () => encode({ 1: EMBEDDED_NAMESPACE }),
  firstOfList: () => encode({ 1: EMBEDDED_NAMESPACE, 2: 1 }),
  retention: (seconds: number) => encode({ 1: EMBEDDED_NAMESPACE, 3: encode({ 1: encode({ 1: seconds }) }) }),
  attributes: (attributes: readonly RegisteredAttribute[]) =>
    encode({ 1: attributes.map(({ name, code }) => encode({ 1: name, 2: code })), 2: EMBEDDED_NAMESPACE }),
  retentionOf: (description: Message) => Number(nested(nested(description, 2), 1).get(1)?.[0] ?? 0),
  attributesOf: (list: Message) => (list.get(1) ?? []).map((entry) => String(decode(entry as Buffer).get(1)?.[0])),
} as const;

/**
 * Checks that Temporal responds and can read its database, keeps closed workflows for 90 days, and registers the search
 * attributes.
 *
 * @throws DatabaseSchemaError if another version of the Temporal CLI created the database
 * @throws Error if Temporal does not respond, or rejects a request
 */
export async function prepareNamespace(address: string): Promise<void> {
  const grpc = new Grpc(address, CALL_TIMEOUT_MS);
  try {
    await assertReadable(grpc);
    const description = await grpc.call(`${WORKFLOWS}/DescribeNamespace`, messages.namespace());
    if (messages.retentionOf(description) < RETENTION_S) {
      await grpc.call(`${WORKFLOWS}/UpdateNamespace`, messages.retention(RETENTION_S));
    }
    const list = await grpc.call(`${OPERATOR}/ListSearchAttributes`, messages.namespace());
    const present = messages.attributesOf(list);
    const missing = registeredAttributes.filter(({ name }) => !present.includes(name));
    if (missing.length > 0) await grpc.call(`${OPERATOR}/AddSearchAttributes`, messages.attributes(missing));
  } finally {
    grpc.close();
  }
}

/** Temporal starts on the database of an older version, and then fails to list workflows and schedules. */
async function assertReadable(grpc: Grpc): Promise<void> {
  try {
    await grpc.call(`${WORKFLOWS}/ListWorkflowExecutions`, messages.firstOfList());
    await grpc.call(`${WORKFLOWS}/ListSchedules`, messages.firstOfList());
  } catch (error) {
    const cause = /no such (?:table|column)[^()]*\w/.exec((error as Error).message)?.[0];
    throw cause === undefined ? error : new DatabaseSchemaError(cause, { cause: error });
  }
}
