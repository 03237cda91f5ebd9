import type { Client } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { lackingAttributes } from '../core/show/attribute-registry.ts';
import { attributePairs, type AttributeValues } from '../core/show/attributes.ts';
import { grpcFault } from '../temporal/grpc-cause.ts';

const ASK_TIMEOUT_MS = 5000;

/** Somebody may register them meanwhile. */
const ASK_AGAIN_AFTER_MS = 60_000;

/** gRPC's number (grpc/grpc, doc/statuscodes.md). */
const GRPC_INVALID_ARGUMENT = 3;

/** Goes into the options of a workflow's start. */
export interface StartAttributes {
  readonly typedSearchAttributes?: SearchAttributePair[];
}

/**
 * Gives search attributes to what a client starts, where the namespace knows all of them. It is asked once; where it
 * doesn't answer, or may not be asked, workflows do without: they never fail for want of a column in a list.
 */
export class NamespaceAttributes {
  readonly #client: Client;
  #known: Promise<boolean> | undefined;
  #askedAtMs = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  async of(values: Partial<AttributeValues>): Promise<StartAttributes> {
    if (!(await this.#areKnown())) return {};
    return { typedSearchAttributes: attributePairs(values) as SearchAttributePair[] };
  }

  /** Starts a workflow with them, or without them where it is refused for their sake. @throws what `start` throws */
  async startWith<T>(values: Partial<AttributeValues>, start: (attributes: StartAttributes) => Promise<T>): Promise<T> {
    const attributes = await this.of(values);
    try {
      return await start(attributes);
    } catch (error) {
      // Just registered they may not have reached the whole cluster; just removed we know of them still.
      if (!attributes.typedSearchAttributes || !isAboutAttributes(error)) throw error;
      void this.#remember(Promise.resolve(false));
      return start({});
    }
  }

  async #areKnown(): Promise<boolean> {
    const known = (this.#known ??= this.#remember(this.#ask()));
    if (!(await known) && this.#known === known && Date.now() - this.#askedAtMs > ASK_AGAIN_AFTER_MS) {
      return this.#remember(this.#ask());
    }
    return known;
  }

  #remember(known: Promise<boolean>): Promise<boolean> {
    this.#askedAtMs = Date.now();
    this.#known = known;
    return known;
  }

  async #ask(): Promise<boolean> {
    const { connection, options } = this.#client;
    try {
      const { customAttributes } = await connection.withDeadline(Date.now() + ASK_TIMEOUT_MS, () =>
        connection.operatorService.listSearchAttributes({ namespace: options.namespace }),
      );
      const { missing, conflicts } = lackingAttributes(customAttributes);
      return missing.length === 0 && conflicts.length === 0;
    } catch {
      return false;
    }
  }
}

function isAboutAttributes(error: unknown): boolean {
  const fault = grpcFault(error);
  return fault?.code === GRPC_INVALID_ARGUMENT && /search ?attribute/i.test(fault.details);
}
