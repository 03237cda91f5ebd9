import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import {
  lackingAttributes,
  registerCommands,
  registeredAttributes,
  type RegisteredAttribute,
} from '../core/show/attribute-registry.ts';
import { AttributeConflictError, SetupRefusedError, SetupUnfinishedError } from './errors.ts';
import { NamespaceNotFoundError } from '../temporal/temporal-errors.ts';
import { grpcFault } from '../temporal/grpc-cause.ts';
import { isTemporalAway } from '../temporal/temporal-fault.ts';
import { fromTemporal } from './temporal-faults.ts';

export interface SearchAttributesSetup {
  readonly namespace: string;
  readonly attributes: readonly {
    readonly name: string;
    /** Type, as the `temporal` command names it. */
    readonly type: string;
    /** Whether it was registered by this call, and not before. */
    readonly added: boolean;
  }[];
}

const POLL_MS = 200;
const CALL_TIMEOUT_MS = 10_000;

/**
 * Registers the search attributes of Longhaul that are missing in the namespace, and waits until they are available. It
 * waits at most `timeoutMs` milliseconds (default 30,000), and is idempotent. Running uploads continue without them.
 *
 * @throws AttributeConflictError
 * @throws SetupRefusedError with the commands for an administrator
 * @throws SetupUnfinishedError if they are not available in time
 * @throws TemporalUnreachableError
 */
export async function setupSearchAttributes(
  client: Client,
  { timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {},
): Promise<SearchAttributesSetup> {
  const { namespace } = client.options;
  const { operatorService } = client.connection;
  const lacking = async () => {
    const answer = await call(client, registeredAttributes, () => operatorService.listSearchAttributes({ namespace }));
    const { missing, conflicts } = lackingAttributes(answer?.customAttributes ?? {});
    if (conflicts.length === 0) return missing;
    const list = conflicts.map(({ name, type, found }) => `${name} is ${found} and must be ${type}`).join('; ');
    throw new AttributeConflictError(
      `namespace ${namespace} has search attributes of other types: ${list}. ` +
        'Use another namespace, or, if no other program uses them, run "temporal operator search-attribute remove".',
    );
  };

  const missing = await lacking();
  if (missing.length > 0) {
    const searchAttributes = Object.fromEntries(missing.map(({ name, code }) => [name, code]));
    await call(client, missing, () => operatorService.addSearchAttributes({ namespace, searchAttributes }));
    const deadline = performance.now() + timeoutMs;
    for (let left = await lacking(); left.length > 0; left = await lacking()) {
      if (performance.now() > deadline) {
        const names = left.map(({ name }) => name).join(', ');
        throw new SetupUnfinishedError(
          `registered ${names}, but Temporal does not list them after ${timeoutMs / 1000} s. Run the same command again later.`,
        );
      }
      await setTimeout(POLL_MS);
    }
  }
  const attributes = registeredAttributes.map((attribute) => ({
    name: attribute.name,
    type: attribute.type,
    added: missing.includes(attribute),
  }));
  return { namespace, attributes };
}

async function call<T>(
  { connection, options: { namespace } }: Client,
  wanted: readonly RegisteredAttribute[],
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, ask);
  } catch (error) {
    const fault = grpcFault(error);
    // Another process registers them at the same time.
    if (fault?.status === 'ALREADY_EXISTS') return undefined;
    const known = fromTemporal(error, '');
    const isRefusal = fault !== undefined && !isTemporalAway(error) && !(known instanceof NamespaceNotFoundError);
    if (!isRefusal) throw known;
    const message = `cannot register search attributes in namespace "${namespace}": ${fault.details}`;
    throw new SetupRefusedError(message, registerCommands(wanted, namespace), error);
  }
}
