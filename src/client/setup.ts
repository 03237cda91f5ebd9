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
    /** As the `temporal` command calls it. */
    readonly type: string;
    /** False when it was there already. */
    readonly added: boolean;
  }[];
}

const POLL_MS = 200;
const CALL_TIMEOUT_MS = 10_000;

/** gRPC's number (grpc/grpc, doc/statuscodes.md). */
const GRPC_ALREADY_EXISTS = 6;

/**
 * Registers the search attributes that Longhaul shows uploads by, as far as the namespace lacks them, and waits until
 * they are there. May be repeated. Uploads that run already go on without.
 *
 * @param options.timeoutMs how long to wait for them. @defaultValue 30,000
 * @throws AttributeConflictError
 * @throws SetupRefusedError with the commands for somebody who may
 * @throws SetupUnfinishedError when they are not there in time
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
        'Give Longhaul another namespace, or remove them when nothing else uses them: temporal operator search-attribute remove',
    );
  };

  const missing = await lacking();
  if (missing.length > 0) {
    const searchAttributes = Object.fromEntries(missing.map(({ name, code }) => [name, code]));
    await call(client, missing, () => operatorService.addSearchAttributes({ namespace, searchAttributes }));
    const deadline = Date.now() + timeoutMs;
    for (let left = await lacking(); left.length > 0; left = await lacking()) {
      if (Date.now() > deadline) {
        const names = left.map(({ name }) => name).join(', ');
        throw new SetupUnfinishedError(
          `${names} registered, but not there after ${timeoutMs / 1000} s; look again later with the same command`,
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
    // Somebody else does the same at this moment.
    if (fault?.code === GRPC_ALREADY_EXISTS) return undefined;
    const known = fromTemporal(error, '');
    const isRefusal = fault !== undefined && !isTemporalAway(error) && !(known instanceof NamespaceNotFoundError);
    if (!isRefusal) throw known;
    const message = `search attributes can't be registered in namespace ${namespace} from here: ${fault.details}`;
    throw new SetupRefusedError(message, registerCommands(wanted, namespace), error);
  }
}
